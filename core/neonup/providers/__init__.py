"""The providers that come with the core, and how one is chosen."""

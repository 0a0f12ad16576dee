"""Settings: for development, and for production."""

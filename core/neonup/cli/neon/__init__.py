"""The commands that ask Neon's API: of an account, or of a local Neon (``NEON_API_HOST``)."""

"""Neon API v2: https://api-docs.neon.tech/reference."""

"""A local Neon: Neon's HTTP APIs over stock Postgres on this machine."""

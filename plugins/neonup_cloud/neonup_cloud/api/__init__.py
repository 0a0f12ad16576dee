"""Neon API v2 as a client: its operations in groups, sent blocking or awaited."""

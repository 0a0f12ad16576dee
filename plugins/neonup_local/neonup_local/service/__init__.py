"""What Neon is, without HTTP: databases, their records, claims and certificates."""

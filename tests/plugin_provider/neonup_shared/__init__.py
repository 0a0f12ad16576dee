"""A neonup provider: a database of one's own on a Postgres server that a team shares."""

"""Django's Postgres backend, which finds or creates its database at the first connection."""

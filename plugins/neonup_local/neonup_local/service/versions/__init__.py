"""The versions of a local database: copies of its data directory, and the way back to one."""

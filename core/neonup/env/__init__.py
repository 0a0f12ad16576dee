"""The ``.env`` file: reading it, what a database's lines in it mean, and whether git ignores it."""

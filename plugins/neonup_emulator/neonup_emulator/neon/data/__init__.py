"""Data directories: copies of them, their history, and any moment of it."""

"""Tells editors and agents of the server: which file each one reads, and how it is changed."""

"""neonup for pytest: the adapter itself is not part of this version."""

"""neonup for Django: the adapter itself is not part of this version."""

"""neonup for FastAPI and any ASGI framework: the adapter itself is not part of this version."""

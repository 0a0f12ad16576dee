"""What a local Neon remembers, and how it changes."""

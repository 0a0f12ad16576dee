"""The rows of the local Neon: waking, the front, branches, many projects, and a push."""

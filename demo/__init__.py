"""``make demo``: neonup's two stories on this machine, in a folder that is removed at the end."""

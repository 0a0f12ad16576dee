"""Projects that belong to nobody until somebody claims them: those of agents and of neon.new."""

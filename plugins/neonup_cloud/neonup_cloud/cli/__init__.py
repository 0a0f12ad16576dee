"""The commands about Neon accounts, projects and fleets."""

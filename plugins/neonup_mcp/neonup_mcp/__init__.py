"""``neonup mcp``: a Model Context Protocol server for one project's database.

Needs the extra ``neonup[mcp]``. `server` puts the tools together, ``serve`` runs them over stdio or
HTTP, and ``install/`` writes the configuration of editors and agents.
"""

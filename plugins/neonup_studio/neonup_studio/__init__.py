"""``neonup studio``: a page for the project's database. Needs the extra ``neonup[studio]``."""

"""One start of a project: from settings to a database that answers and is announced."""

"""A database's tables, rows, values and changes, by a connection of psycopg; it knows no HTTP."""

"""Another engine for a database's data: whether it fits as it is, else by dump and restore."""

"""Tables and foreign keys as a picture: read from the catalog, laid out, and put into words."""

"""Where boxes and the lines between their rows are, in layers; knows nothing of databases."""

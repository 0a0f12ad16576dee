"""The databases of a run: copied from a template, swapped between tests, restored."""

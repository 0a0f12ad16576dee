"""``neonup init``: what a project reads of its database, and the settings of neonup's that fit it.

It travels in the distribution ``neonup``, so that the command is there whatever was installed.
Files are read, and nothing of the project's is imported or run.
"""

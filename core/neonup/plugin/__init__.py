"""What plugins import of neonup, beside the names of `neonup` itself: a module for each subject.

docs/plugins.md lists them. Everything else below ``neonup`` is private and changes without notice.
"""

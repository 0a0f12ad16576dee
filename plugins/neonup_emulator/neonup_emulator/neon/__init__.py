"""What Neon is, without HTTP: projects, branches, endpoints, roles and operations over clusters.

A *cluster* is a data directory. A branch points to one; nothing else does, so that whatever
replaces a branch's data builds another cluster and moves the pointer in one transaction.
"""

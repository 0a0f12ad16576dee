"""Stock Postgres on this machine: programs, accounts, data directories, processes.

Nothing in here knows of projects, claims or HTTP.
"""

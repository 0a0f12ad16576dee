"""What adapters for web frameworks are made of, without any framework; a module a subject.

Importing a module of it connects, creates and writes nothing. Drivers and SQLAlchemy are the
application's choice: `neonup_web.connections` imports them on their first use.
"""

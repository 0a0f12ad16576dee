"""What a project needs of its Postgres, as its SQL and Python files say: extensions, and ICU.

Nothing of the project's is run or imported. Only `missing` knows of engines.
"""

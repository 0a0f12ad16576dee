"""``import neonup.auto``: the database exists before the lines below are run.

The one module of neonup whose import does something, under the same rule as `neonup.ensure`:
without a positive sign of development nothing is created, and a missing URL is an error.
"""

from neonup.start.ensure import ensure

database = ensure()
"""The project's database."""

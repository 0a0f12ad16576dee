"""A connection can be copied and changed as one of Django's own."""

from __future__ import annotations

import pytest

from tests.django.site import Site

COPIES = """
import copy, pickle
from django.db import connections
from django_neon.postgresql.base import over

one = connections["default"]
entry = {**one.settings_dict, "NEON": {**one.settings_dict["NEON"], "engine": "shop.backend"}}
other = over("shop.backend")(entry, "other")

def same(one, two):
    equal = (two.alias, two.settings_dict) == (one.alias, one.settings_dict)
    return two is not one and type(two) is type(one) and equal

def reduced(one):
    make, arguments, state = one.__reduce__()[:3] if one is other else (copy.copy, (one,), {})
    made = make(*arguments)
    made.__dict__.update(state)
    return made
"""

OPTIONS = """
import copy
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.backends.postgresql.psycopg_any import IsolationLevel

def value(statement, **options):
    other = connection.copy()
    other.settings_dict = copy.deepcopy(connection.settings_dict)
    other.settings_dict["OPTIONS"].update(options)
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]
    finally:
        other.close()

before = value("SHOW transaction_isolation")
"""


def test_copies_of_connections(site: Site) -> None:
    site.write("shop/backend/__init__.py", "")
    site.write(
        "shop/backend/base.py",
        "from django.db.backends.postgresql.base import DatabaseWrapper\n",
    )
    found = "[same(c, f(c)) for c in (one, other) for f in (copy.copy, reduced)]"
    assert site.evaluated(found, COPIES) == [True] * 4


@pytest.mark.parametrize(
    ("statement", "options", "answer"),
    [
        (
            "SHOW transaction_isolation",
            "isolation_level=IsolationLevel.SERIALIZABLE",
            "serializable",
        ),
        ("SELECT current_user", "assume_role='pg_monitor'", "pg_monitor"),
        ("SELECT 1", "pool=True", 1),
        ("SELECT 1", "server_side_binding=True", 1),
    ],
)
def test_options_that_are_set_later(
    site: Site, statement: str, options: str, answer: object
) -> None:
    """Of a connection that has connected before, as `connection.copy` shares its settings."""
    assert site.evaluated(f"value({statement!r}, {options})", OPTIONS) == answer


def test_an_invalid_option_is_an_error(site: Site) -> None:
    done = site.manage(
        "shell", "-c", f"{OPTIONS}\nvalue('SELECT 1', isolation_level='no such level')"
    )
    assert "ImproperlyConfigured" in done.stderr

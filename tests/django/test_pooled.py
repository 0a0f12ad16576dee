"""Through a real pgbouncer in transaction mode: migrations, cursors, statements, tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.django.site import Site
from tests.pgbouncer import MISSING, PROGRAM, pooling

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

ROWS = """
from concurrent.futures import ThreadPoolExecutor
from notes.models import Note
from django.db import connection
def hold(_):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.3)")
    connection.close()
list(ThreadPoolExecutor(4).map(hold, range(4)))  # now the pooler has several to hand out in turns
if not Note.objects.exists():
    Note.objects.bulk_create(Note(text=str(number)) for number in range(3000))
"""
ITERATE = "[len(list(Note.objects.iterator(chunk_size=100))) for _ in range(5)]"
PORT = "connection.settings_dict['PORT']"


@pytest.fixture
def pooled(site: Site) -> Iterator[Site]:
    """A project whose ``.env`` has both URLs, as neonup writes them; pooled is opted in."""
    site.ok()
    direct = site.url
    with pooling(direct, connections=4) as pooler:
        site.env_file.write_text(f"DATABASE_URL={pooler.url}\nDATABASE_URL_DIRECT={direct}\n")
        site.databases("django_neon.database(pooled=True)")
        yield site


def port(url: str | None) -> str:
    assert url
    return url.rpartition(":")[2].partition("/")[0]


def test_migrations_go_past_it_and_queries_through_it(pooled: Site) -> None:
    assert "Applying notes.0001_initial... OK" in pooled.managed("migrate")
    assert pooled.evaluated(ITERATE, ROWS) == [3000] * 5
    assert pooled.evaluated(PORT, ROWS) == port(pooled.url)
    with pooled.runserver() as server:
        assert server.json("add") == {"notes": 3001}
        assert server.json()["port"] == int(port(pooled.variables["DATABASE_URL_DIRECT"]))
    during = "from django.core.management import call_command; call_command('migrate', verbosity=0)"
    through = f"{ROWS}\n{during}"
    assert pooled.evaluated(PORT, through) == port(pooled.variables["DATABASE_URL_DIRECT"])


def test_the_first_query_of_a_process_opens_no_server_side_cursor(pooled: Site) -> None:
    pooled.managed("migrate")
    pooled.evaluated("1", ROWS)
    pooled.databases("django_neon.database()")
    pooled.set("DEBUG = False")  # in production the URL is taken as it is, and recognised
    first = "from notes.models import Note"
    assert pooled.evaluated("len(list(Note.objects.iterator()))", first) == 3000
    assert pooled.evaluated(ITERATE, ROWS) == [3000] * 5
    before = "from django.db import connection; connection.ensure_connection()"
    assert pooled.evaluated(PORT, before) == port(pooled.url)


def test_without_neonup_the_same_fails(pooled: Site) -> None:
    """So this is a pooler in transaction mode indeed."""
    pooled.managed("migrate")
    pooled.evaluated("1", ROWS)
    pooled.set(f"import dj_database_url\nPOOLED = dj_database_url.parse({pooled.url!r})")
    pooled.databases("POOLED")
    assert "does not exist" in pooled.manage("shell", "-c", f"{ROWS}\nprint({ITERATE})").stderr


def test_in_development_it_is_passed_by_unless_asked_for(pooled: Site) -> None:
    pooled.databases("django_neon.database()")
    before = "from django.db import connection; connection.ensure_connection()"
    assert pooled.evaluated(PORT, before) == port(pooled.variables["DATABASE_URL_DIRECT"])


def test_no_statement_is_prepared_by_name(pooled: Site) -> None:
    pooled.managed("migrate")
    pooled.databases("django_neon.database(pooled=True, OPTIONS={'server_side_binding': True})")
    counts = "[Note.objects.filter(text='7').count() for _ in range(20)]"
    assert pooled.evaluated(counts, ROWS) == [1] * 20


def test_tests_make_their_database_past_it(pooled: Site) -> None:
    assert "OK" in pooled.managed("test")

"""With ``DATABASES = {"default": django_neon.database()}``, too."""

from __future__ import annotations

import textwrap

from tests.pytest_django.site import SETTINGS as PLAIN
from tests.pytest_django.site import Developers, Site

SETTINGS = """
import django_neon
INSTALLED_APPS.append("django_neon")
DATABASES = {
    "default": django_neon.database(),
    "analytics": django_neon.database("analytics"),
}
"""

TESTS = """
    import os
    import psycopg
    import pytest
    from django.db import connections
    from notes.models import Note

    @pytest.mark.django_db(databases=["default", "analytics"], transaction=True)
    def test_two():
        assert Note.objects.count() == Note.objects.using("analytics").count() == 1
        Note.objects.using("analytics").create(text="committed")
        with psycopg.connect(os.environ["DATABASE_URL"]) as other:
            assert other.execute("SELECT count(*) FROM notes_note").fetchone() == (1,)
        names = {connections[alias].settings_dict["NAME"] for alias in ("default", "analytics")}
        assert len(names) == 2
        assert all(name.startswith("neonup_test_") for name in names)

    def test_own(neon_db):
        assert Note.objects.count() == 1
        Note.objects.create(text="committed")
        with psycopg.connect(neon_db.url) as other:
            assert other.execute("SELECT count(*) FROM notes_note").fetchone() == (2,)
"""


def test_under_pytest(site: Site, developers: Developers) -> None:
    before = developers.seen()
    site.set(SETTINGS)
    site.write(test_neon=TESTS)
    environ = {"ANALYTICS_DATABASE_URL": developers.url}
    site.pytest(**environ).expect(passed=2)
    site.pytest(**environ).expect(passed=2)
    site.assert_nothing_left()
    assert developers.seen() == before


def test_with_the_runner(site: Site, developers: Developers) -> None:
    before = developers.seen()
    site.set(f"{SETTINGS}\nTEST_RUNNER = 'neonup_pytest.django.NeonRunner'")
    site.write(
        notes__tests="""
        from django.test import TestCase
        from notes.models import Note

        class One(TestCase):
            databases = ["default", "analytics"]

            def test_one(self):
                self.assertEqual(Note.objects.using("analytics").count(), 1)
        """
    )
    run = site.manage("test", ANALYTICS_DATABASE_URL=developers.url)
    assert run.code == 0, run.output
    site.assert_nothing_left()
    assert developers.seen() == before


def test_nothing_is_made_for_a_project_that_has_no_database_yet(site: Site) -> None:
    site.set(SETTINGS)
    site.write(test_neon=TESTS)
    del site.environ["DATABASE_URL"]
    site.pytest().expect(passed=2)
    site.assert_nothing_left()
    assert not (site.folder / ".env").exists()


def test_a_fresh_checkout_runs_as_it_does_ever_after(site: Site) -> None:
    site.ini("DJANGO_SETTINGS_MODULE = settings")
    plain = textwrap.dedent(PLAIN).replace("DATABASES = ", "NO_DATABASES = lambda: ")
    site.file("settings.py", plain + SETTINGS)
    site.write(test_neon=TESTS)
    del site.environ["DATABASE_URL"]
    for _ in range(2):
        site.pytest().expect(passed=2)
        site.assert_nothing_left()
        assert not (site.folder / ".env").exists()

"""``manage.py test`` with the runner: quick, and elsewhere."""

from __future__ import annotations

from tests.pytest.child import Run
from tests.pytest_django.site import Developers, Site

TESTS = """
    import os, sys
    import psycopg
    from django.db import connection
    from django.test import TestCase, TransactionTestCase
    from notes.models import Note

    def texts():
        return [note.text for note in Note.objects.order_by("id")]

    class One(TestCase):
        def test_one(self):
            self.assertEqual(texts(), ["of a migration"])
            Note.objects.create(text="mine")

        def test_two(self):
            self.assertEqual(texts(), ["of a migration"])
            self.assertNotIn("pytest", sys.modules)

    class Two(TransactionTestCase):
        serialized_rollback = True

        def test_one(self):
            self.assertEqual(texts(), ["of a migration"])
            Note.objects.create(text="mine")
            name = connection.settings_dict["NAME"]
            self.assertTrue(os.environ["DATABASE_URL"].endswith(name) or "_" in name)

    class Three(TransactionTestCase):
        serialized_rollback = True

        def test_one(self):
            self.assertEqual(texts(), ["of a migration"])
"""


def went_through(run: Run, count: int) -> None:
    assert run.code == 0, run.output
    assert f"Ran {count} tests" in run.output, run.output


def test_the_second_run_migrates_nothing(site: Site, developers: Developers) -> None:
    before = developers.seen()
    site.set('TEST_RUNNER = "neonup_pytest.django.NeonRunner"')
    site.write(notes__tests=TESTS)
    went_through(site.manage("test"), 4)
    assert "migrated default" in site.steps()
    went_through(site.manage("test"), 4)
    assert "migrated default" not in site.steps()
    went_through(site.manage("test", "--neon-rebuild", "--keepdb"), 4)
    assert "migrated default" in site.steps()
    site.assert_nothing_left()
    assert developers.seen() == before


def test_in_parallel(site: Site, developers: Developers) -> None:
    before = developers.seen()
    site.set('TEST_RUNNER = "runner.Runner"')
    site.write(
        notes__tests=TESTS,
        runner="""
        from django.test.runner import DiscoverRunner
        from neonup_pytest.django import TestRunnerMixin

        class Runner(TestRunnerMixin, DiscoverRunner):
            pass
        """,
    )
    went_through(site.manage("test", "--parallel", "2"), 4)
    went_through(site.manage("test", "--parallel", "2"), 4)
    site.assert_nothing_left()
    assert developers.seen() == before


def test_a_failed_setup_leaves_nothing(site: Site) -> None:
    site.set('TEST_RUNNER = "neonup_pytest.django.NeonRunner"')
    site.write(notes__tests=TESTS, notes__steps="def step(*args): raise ValueError('so bad')")
    run = site.manage("test")
    assert run.code == 1
    assert "so bad" in run.output
    site.assert_nothing_left()


def test_off_is_off(site: Site) -> None:
    site.set('TEST_RUNNER = "neonup_pytest.django.NeonRunner"')
    site.write(notes__tests=TESTS)
    run = site.manage("test", NEONUP="off")
    assert run.code == 1
    assert "NEONUP=off" in run.output
    assert "Traceback" not in run.output


def test_the_extensions_of_the_setting_are_in_the_test_databases(site: Site) -> None:
    site.set('TEST_RUNNER = "neonup_pytest.django.NeonRunner"')
    site.write(
        notes__tests="""
        from django.db import connection
        from django.test import TestCase

        class Extensions(TestCase):
            def test_it(self):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT extname FROM pg_extension ORDER BY 1")
                    print("extensions=" + " ".join(name for (name,) in cursor.fetchall()))
        """
    )
    for names in ("hstore", "citext,pageinspect"):
        run = site.manage("test", NEONUP_EXTENSIONS=names)
        assert run.code == 0, run.output
        assert run.said("extensions") == [" ".join([*names.split(","), "plpgsql"])]
    site.assert_nothing_left()


def test_the_projects_variables_lead_to_the_tests_database(
    site: Site, developers: Developers
) -> None:
    site.file(
        "pyproject.toml",
        """
        [tool.neonup.variables]
        POSTGRES_SERVER = "{host}"
        POSTGRES_DB = "{database}"
        """,
    )
    site.set('TEST_RUNNER = "neonup_pytest.django.NeonRunner"')
    site.write(
        notes__tests="""
        import os
        import psycopg
        from django.db import connection
        from django.test import TransactionTestCase

        class Variables(TransactionTestCase):
            def test_them(self):
                entry = connection.settings_dict
                names = ("POSTGRES_SERVER", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD")
                keys = ("HOST", "HOST", "PORT", "USER", "PASSWORD")
                for name, key in zip(names, keys):
                    self.assertEqual(os.environ[name], str(entry[key]), name)
                self.assertEqual(os.environ["POSTGRES_DB"], os.environ["PGDATABASE"])
                with psycopg.connect() as other:
                    self.assertIn(entry["NAME"], other.info.dbname)
        """
    )
    before = developers.seen()
    run = site.manage("test", POSTGRES_SERVER="production.example", PGHOST="production.example")
    assert run.code == 0, run.output
    assert developers.seen() == before

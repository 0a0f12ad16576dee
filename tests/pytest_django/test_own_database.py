"""``neon_db`` is a database of the test's own behind Django's own connection."""

from __future__ import annotations

from tests.pytest_django.site import Site

TESTS = """
    import psycopg
    import pytest
    from django.db import connection, transaction
    from django.test import TransactionTestCase
    from notes.models import Note

    def texts():
        return [note.text for note in Note.objects.order_by("id")]

    def test_rolled_back(db):
        assert texts() == ["of a migration"]
        Note.objects.create(text="rolled back")

    def test_commits(neon_db):
        with transaction.atomic():
            Note.objects.create(text="committed")
        with psycopg.connect(neon_db.url) as other:
            assert other.execute("SELECT count(*) FROM notes_note").fetchone() == (2,)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE mine (n int)")

    def test_sees_nothing_of_it(neon_db):
        assert texts() == ["of a migration"]
        assert "mine" not in connection.introspection.table_names()
        assert Note.objects.create(text="second").pk == 2

    def test_in_a_transaction_of_a_database_of_its_own(db, neon_db):
        assert texts() == ["of a migration"]
        assert connection.in_atomic_block

    def test_transactional_in_a_database_of_its_own(transactional_db, neon_db):
        assert texts() == ["of a migration"]

    def test_requests(neon_db, client):
        assert client.get("/").status_code == 404

    def test_sqlalchemy_sees_what_django_wrote(neon_db, neon_connection):
        Note.objects.create(text="committed")
        assert neon_connection.execute("SELECT count(*) FROM notes_note").fetchone() == (2,)

    @pytest.mark.usefixtures("neon_db")
    class TestOfDjango(TransactionTestCase):
        def test_one(self):
            assert texts() == ["of a migration"]
"""


def test_djangos_connection_leads_to_the_tests_own_database(site: Site) -> None:
    site.write(test_own=TESTS)
    site.pytest().expect(passed=8)
    site.assert_nothing_left()


def test_where_no_test_is_djangos(site: Site) -> None:
    site.write(
        test_own="""
        import psycopg
        from notes.models import Note

        def test_commits(neon_db):
            Note.objects.create(text="committed")

        def test_sees_nothing_of_it(neon_db):
            assert Note.objects.count() == 1

        def test_schema_behind_the_url(neon_url):
            with psycopg.connect(neon_url) as connection:
                assert connection.execute("SELECT text FROM notes_note").fetchall() == [
                    ("of a migration",)
                ]
        """
    )
    site.pytest().expect(passed=3)
    site.pytest("-n", "2").expect(passed=3)


def test_a_schema_of_ones_own_comes_before_the_migrations(site: Site) -> None:
    site.file("schema.sql", "CREATE TABLE others (n int);")
    site.ini("DJANGO_SETTINGS_MODULE = settings\nneon_env = DATABASE_URL\nneon_schema = schema.sql")
    site.write(
        test_both="""
        from django.db import connection
        from notes.models import Note

        def test_django(db):
            assert "others" in connection.introspection.table_names()

        def test_own(neon_db):
            assert Note.objects.count() == 1
            assert "others" in connection.introspection.table_names()
        """
    )
    site.pytest().expect(passed=2)
    site.steps()
    site.pytest().expect(passed=2)
    assert "migrated default" not in site.steps()


def test_a_test_case_in_a_transaction_cannot_have_its_own(site: Site) -> None:
    site.write(
        test_case="""
        import pytest
        from django.test import TestCase

        @pytest.mark.usefixtures("neon_db")
        class TestOfDjango(TestCase):
            def test_one(self):
                raise AssertionError
        """
    )
    run = site.pytest().expect(1, errors=1)
    assert "kept" not in run.output
    assert "TransactionTestCase" in run.output
    assert "Traceback" not in run.output, run.output


def test_psycopgs_pool_sees_the_database_of_each_test(site: Site) -> None:
    site.set('DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 2}}')
    site.write(
        test_pool="""
        from notes.models import Note

        def test_rolled_back(db):
            assert Note.objects.count() == 1

        def test_transactional(transactional_db):
            assert Note.objects.count() == 1

        def test_own(neon_db):
            Note.objects.create(text="mine")
            assert Note.objects.count() == 2

        def test_own_again(neon_db):
            assert Note.objects.count() == 1
        """
    )
    site.pytest().expect(passed=4)
    site.assert_nothing_left()


def test_failed_tests_database_is_kept(site: Site) -> None:
    site.write(
        test_fails="""
        from notes.models import Note

        def test_one(neon_db):
            Note.objects.create(text="left")
            assert False

        def test_two(neon_db):
            assert Note.objects.count() == 1
        """
    )
    run = site.pytest().expect(1, failed=1, passed=1)
    line = next(line for line in run.output.splitlines() if "_kept_" in line)
    url = line.split()[-1].strip("'")
    import psycopg

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM notes_note").fetchone() == (2,)


def test_a_server_that_dies_is_replaced(site: Site) -> None:
    site.write(
        test_dies="""
        import os, signal, time
        import pytest
        from django.db import connection
        from notes.models import Note

        def test_dies(db):
            with connection.cursor() as cursor:
                cursor.execute("SHOW data_directory")
                [folder] = cursor.fetchone()
            with open(f"{folder}/postmaster.pid") as file:
                os.kill(int(file.readline()), signal.SIGQUIT)
            deadline = time.monotonic() + 100
            while time.monotonic() < deadline:  # until the server has noticed the signal
                list(Note.objects.all())

        def test_after(db):
            assert Note.objects.count() == 1

        def test_own(neon_db):
            assert Note.objects.count() == 1
        """
    )
    run = site.pytest()
    assert run.code == 1
    assert run.outcomes.get("passed") == 2, run.output
    assert "The tests' Postgres closed" in run.output
    site.assert_nothing_left()

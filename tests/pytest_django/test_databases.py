"""Under pytest-django everything is as without the plugin, but quick, and elsewhere."""

from __future__ import annotations

from tests.pytest_django.site import Developers, Site

ALL_KINDS = """
    import pytest
    import psycopg, os
    from django.db import connection
    from django.test import TestCase, TransactionTestCase
    from notes.models import Note

    def texts():
        return [note.text for note in Note.objects.order_by("id")]

    @pytest.mark.django_db
    def test_rolled_back():
        assert texts() == ["of a migration"]
        Note.objects.create(text="mine")

    def test_rolled_back_again(db):
        assert texts() == ["of a migration"]
        with psycopg.connect(os.environ["DATABASE_URL"]) as other:
            assert other.execute("SELECT text FROM notes_note").fetchall() == [("of a migration",)]

    class TestOfDjango(TestCase):
        @classmethod
        def setUpTestData(cls):
            cls.note = Note.objects.create(text="of the class")

        def test_one(self):
            assert texts() == ["of a migration", "of the class"]

    def test_live_server(live_server):
        import urllib.request, urllib.error
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(live_server.url)

    def test_blocked():
        with pytest.raises(RuntimeError, match="Database access not allowed"):
            texts()

    @pytest.mark.django_db(transaction=True)
    def test_transactional():
        Note.objects.create(text="committed")

    def test_transactional_again(transactional_db, django_db_reset_sequences):
        assert texts() == []
        assert Note.objects.create(text="first").pk == 1
        with psycopg.connect(os.environ["DATABASE_URL"]) as other:
            assert other.execute("SELECT text FROM notes_note").fetchall() == [("first",)]
"""

SERIALIZED = """
    import pytest
    from django.test import TransactionTestCase
    from notes.models import Note

    def texts():
        return [note.text for note in Note.objects.order_by("id")]

    @pytest.mark.django_db(transaction=True, serialized_rollback=True)
    def test_serialized():
        assert texts() == ["of a migration"]
        Note.objects.create(text="committed")

    @pytest.mark.django_db(transaction=True, serialized_rollback=True)
    def test_serialized_again():
        assert texts() == ["of a migration"]

    class TestSerialized(TransactionTestCase):
        serialized_rollback = True

        def test_one(self):
            assert texts() == ["of a migration"]
"""


def test_every_kind_of_test_and_the_second_run_migrates_nothing(
    site: Site, developers: Developers
) -> None:
    before = developers.seen()
    site.write(test_kinds=ALL_KINDS)
    site.pytest().expect(passed=7)
    assert site.steps().count("migrated default") == 1
    site.pytest().expect(passed=7)
    steps = site.steps()
    assert "migrated default" not in steps
    assert "told default" in steps
    site.assert_nothing_left()
    assert developers.seen() == before


def test_serialized_rollback_brings_back_what_migrations_wrote(site: Site) -> None:
    site.write(test_serialized=SERIALIZED)
    site.pytest().expect(passed=3)
    site.pytest().expect(passed=3)


ONE = """
    from notes.models import Note

    def test_one(db):
        assert Note.objects.count() == 1
"""


def test_post_migrate_is_emitted_once_a_run(site: Site) -> None:
    site.write(test_one=ONE)
    site.pytest().expect(passed=1)
    assert site.steps() == ["migrated default", "told default"]
    site.pytest().expect(passed=1)
    assert site.steps() == ["told default"]


def test_a_changed_migration_is_run(site: Site) -> None:
    site.write(test_one=ONE)
    site.pytest().expect(passed=1)
    site.steps()
    site.file(
        "notes/migrations/0002_more.py",
        """
        from django.db import migrations

        class Migration(migrations.Migration):
            dependencies = [("notes", "0001_initial")]
            operations = [migrations.RunSQL("DELETE FROM notes_note")]
        """,
    )
    site.write(test_one=ONE.replace("== 1", "== 0"))
    site.pytest().expect(passed=1)
    assert "migrated default" in site.steps()


def test_a_module_that_a_migration_imports_is_part_of_it(site: Site) -> None:
    site.write(test_one=ONE)
    site.pytest().expect(passed=1)
    steps = (site.folder / "notes" / "steps.py").read_text()
    site.write(notes__steps=steps.replace("of a migration", "changed"))
    site.write(
        test_one="""
        from notes.models import Note

        def test_one(db):
            assert Note.objects.get().text == "changed"
        """
    )
    site.pytest().expect(passed=1)


def test_create_db_makes_the_template_anew_and_reuse_db_does_not(site: Site) -> None:
    site.write(test_one=ONE)
    site.pytest("--reuse-db").expect(passed=1)
    assert "migrated default" in site.steps()
    site.pytest("--reuse-db").expect(passed=1)
    assert "migrated default" not in site.steps()
    site.pytest("--reuse-db", "--create-db").expect(passed=1)
    assert "migrated default" in site.steps()
    site.assert_nothing_left()


def test_without_migrations_the_models_are_the_schema(site: Site) -> None:
    test = """
        from notes.models import Note

        def test_one(db):
            assert FOUND == [field.name for field in Note._meta.fields]
            assert Note.objects.count() == 0
            Note.objects.create(**{name: "x" for name in FOUND[1:]})
        """
    site.write(test_one=test.replace("FOUND", '["id", "text"]'))
    site.pytest("--no-migrations").expect(passed=1)
    assert site.steps() == ["told default"]
    site.write(notes__models=site_models_with("more = models.TextField()"))
    site.write(test_one=test.replace("FOUND", '["id", "text", "more"]'))
    site.pytest("--no-migrations").expect(passed=1)
    site.write(notes__models=site_models_with(""), test_one=ONE)
    site.pytest().expect(passed=1)


def site_models_with(line: str) -> str:
    from tests.pytest_django.site import MODELS

    return f"{MODELS.rstrip()}\n        {line}\n"


def test_workers_share_a_template_and_nothing_else(site: Site) -> None:
    site.write(
        test_many="""
        import pytest
        from django.db import connection
        from notes.models import Note

        @pytest.mark.parametrize("n", range(12))
        @pytest.mark.django_db(transaction=True, serialized_rollback=True)
        def test_one(n):
            assert Note.objects.count() == 1
            Note.objects.create(text=str(n))
            print(f"name={connection.settings_dict['NAME']}")
        """
    )
    run = site.pytest("-n", "2", "-rA").expect(passed=12)
    assert len(set(run.said("name"))) == 2, run.output
    assert site.steps().count("migrated default") == 1
    site.assert_nothing_left()


def test_a_migration_that_fails_is_told_and_leaves_nothing(site: Site) -> None:
    site.write(test_one=ONE, notes__steps="def step(apps, editor): raise ValueError('so bad')")
    run = site.pytest().expect(1, errors=1)
    assert "so bad" in run.output
    site.assert_nothing_left()
    site.start()
    site.pytest().expect(passed=1)
    site.assert_nothing_left()


BESIDE_A_THREAD = """
    import os, threading, pytest, psycopg
    from notes import steps

    def beat():
        from django.db import connection
        while not steps.stop.is_set():
            for write in (by_django, by_url):
                try:
                    write(connection)
                except Exception:
                    pass  # no database there, or no table in it
            steps.tried.set()
            steps.stop.wait(0.01)
        connection.close()

    def by_django(connection):
        try:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO notes_note (text) VALUES ('by Django')")
        finally:
            connection.close()

    def by_url(connection):
        with psycopg.connect(os.environ["DATABASE_URL"]) as other:
            other.execute("INSERT INTO notes_note (text) VALUES ('by the URL')")

    @pytest.fixture(scope="session", autouse=True)
    def service():
        thread = threading.Thread(target=beat, name="heartbeat")
        if os.environ.get("BEATS"):
            thread.start()
        yield
        steps.stop.set()
"""

BESIDE_A_THREAD_STEPS = """
    import os, threading

    stop, tried = threading.Event(), threading.Event()

    def step(apps, editor):
        apps.get_model("notes", "Note").objects.create(text="of a migration")
        for _ in range(20 if os.environ.get("BEATS") else 0):
            tried.clear()
            assert tried.wait(60)
        stop.set()
"""


def test_a_thread_beside_the_migrations_writes_nothing_into_the_template(site: Site) -> None:
    initial = site.folder / "notes/migrations/0001_initial.py"
    visible = initial.read_text().replace("initial = True", "initial, atomic = True, False")
    initial.write_text(visible)  # to others, too, before the step is over
    site.write(
        conftest=BESIDE_A_THREAD,
        notes__steps=BESIDE_A_THREAD_STEPS,
        test_it="""
        import pytest
        from notes.models import Note

        @pytest.mark.django_db
        def test_it():
            assert [note.text for note in Note.objects.all()] == ["of a migration"]
        """,
    )
    for environ in ({"BEATS": "1"}, {}):  # the second run takes the template of the first
        site.pytest(**environ).expect(passed=1)
    site.assert_nothing_left()

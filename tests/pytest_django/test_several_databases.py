"""Several databases are as many on the tests' server, as Django's own rules tell them apart."""

from __future__ import annotations

from tests.pytest_django.site import Developers, Site

ROUTER = """
    class Router:
        def allow_migrate(self, db, app_label, **hints):
            return (db in ("analytics", "report")) == (app_label == "stats")

        def db_for_read(self, model, **hints):
            return "analytics" if model._meta.app_label == "stats" else None

        db_for_write = db_for_read
"""

STATS = """
    from django.db import migrations, models

    ID = ("id", models.BigAutoField(primary_key=True, serialize=False))

    class Migration(migrations.Migration):
        initial = True
        dependencies = []
        operations = [migrations.CreateModel("Visit", [ID, ("path", models.TextField())])]
"""

VISIT = """
    from django.db import models

    class Visit(models.Model):
        path = models.TextField()
"""

SETTINGS = """
DATABASES |= {
    "analytics": {**neonup.drivers.django(URL), "TEST": {"NAME": "visits", "DEPENDENCIES": []}},
    "replica": {**DATABASES["default"], "TEST": {"MIRROR": "default"}},
    "report": {**neonup.drivers.django(URL), "TEST": {"NAME": "visits", "DEPENDENCIES": []}},
    "files": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "files.sqlite3"},
}
INSTALLED_APPS.append("stats")
DATABASE_ROUTERS = ["router.Router"]
"""

TESTS = """
    import pytest
    from django.db import connections
    from notes.models import Note
    from stats.models import Visit

    def name(alias):
        return connections[alias].settings_dict["NAME"]

    def tables(alias):
        return connections[alias].introspection.table_names()

    @pytest.mark.django_db(databases="__all__", transaction=True, serialized_rollback=True)
    def test_all():
        assert name("default") != name("analytics")
        assert name("replica") == name("default")
        assert name("report") == name("analytics")
        assert "memory" in str(name("files"))
        assert "stats_visit" in tables("analytics") and "notes_note" not in tables("analytics")
        assert "notes_note" in tables("default") and "stats_visit" not in tables("default")
        Visit.objects.create(path="/")
        assert Note.objects.using("replica").count() == 1
        assert Visit.objects.using("report").count() == 1

    @pytest.mark.django_db(databases="__all__", transaction=True, serialized_rollback=True)
    def test_again():
        assert Visit.objects.count() == 0
        assert Note.objects.count() == 1

    @pytest.mark.django_db
    def test_others_are_forbidden():
        from django.test.testcases import DatabaseOperationForbidden
        with pytest.raises(DatabaseOperationForbidden):
            Visit.objects.count()
"""


def several(site: Site, developers: Developers) -> None:
    site.file("stats/__init__.py", "")
    site.file("stats/migrations/__init__.py", "")
    site.file("stats/migrations/0001_initial.py", STATS)
    site.write(stats__models=VISIT, router=ROUTER, test_several=TESTS)
    site.set(f"URL = {developers.url!r}\n{SETTINGS}")


def test_aliases_mirrors_and_sqlite(site: Site, developers: Developers) -> None:
    several(site, developers)
    before = developers.seen()
    site.pytest().expect(passed=3)
    assert site.steps().count("migrated default") == 1
    site.pytest("-n", "2").expect(passed=3)
    assert not {"migrated default", "migrated analytics"} & {*site.steps()}
    site.assert_nothing_left()
    assert developers.seen() == before


def test_one_that_only_a_few_tests_use(site: Site, developers: Developers) -> None:
    several(site, developers)
    site.write(
        test_several="""
        import pytest
        from stats.models import Visit

        @pytest.mark.django_db(databases=["analytics"])
        def test_one():
            Visit.objects.create(path="/")
            assert Visit.objects.count() == 1
        """
    )
    site.pytest().expect(passed=1)
    site.pytest().expect(passed=1)


def test_a_copy_of_another_database(site: Site, developers: Developers) -> None:
    site.set('DATABASES["default"]["TEST"] = {"TEMPLATE": "template0", "CHARSET": "utf-8"}')
    site.write(
        test_one="""
        from notes.models import Note

        def test_one(db):
            assert Note.objects.count() == 1
        """
    )
    site.pytest().expect(passed=1)
    site.set('DATABASES["default"]["TEST"] = {"CHARSET": "LATIN1"}')
    run = site.pytest().expect(1, errors=1)
    assert "test databases are always UTF8" in run.output

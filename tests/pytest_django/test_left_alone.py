"""What nobody asked for is not done."""

from __future__ import annotations

from pathlib import Path

from tests.pytest_django.site import Developers, Site

ONE = """
    from django.db import connection
    from notes.models import Note

    def test_one(db):
        assert Note.objects.count() == 1
        print(f"name={connection.settings_dict['NAME']}")
"""


def test_a_project_that_did_not_opt_in_is_left_wholly_alone(
    site: Site, developers: Developers, neonup_home: Path
) -> None:
    site.ini("DJANGO_SETTINGS_MODULE = settings")
    site.write(test_one=ONE)
    home = sorted(neonup_home.iterdir())
    run = site.pytest("-s").expect(passed=1)
    name = developers.url.rpartition("/")[2]
    assert run.said("name") == [f"test_{name}"]
    assert sorted(neonup_home.iterdir()) == home
    assert f"test_{name}" not in developers.databases()


def test_without_a_test_that_needs_a_database_no_server_starts(
    site: Site, developers: Developers
) -> None:
    before = developers.seen()
    site.write(
        test_one="""
        from django.conf import settings

        def test_one():
            assert settings.DATABASES["default"]["NAME"].startswith("neonup_test_")
        """
    )
    site.pytest().expect(passed=1)
    assert list((site.home / "tests").glob("templates/*")) == []
    assert developers.seen() == before


def test_settings_that_do_not_read_the_variable_are_led_away_too(
    site: Site, developers: Developers
) -> None:
    before = developers.seen()
    site.set(f"DATABASES = {{'default': neonup.drivers.django({developers.url!r})}}")
    site.write(test_one=ONE)
    run = site.pytest("-s").expect(passed=1)
    assert run.said("name")[0].startswith("neonup_test_")
    assert developers.seen() == before


def test_a_setup_fixture_of_the_projects_own_cannot_lead_to_its_database(
    site: Site, developers: Developers
) -> None:
    before = developers.seen()
    site.write(
        conftest="""
        import pytest

        @pytest.fixture(scope="session")
        def django_db_setup():
            "As is often done to take the database that is there."
        """,
        test_one=ONE,
    )
    site.pytest().expect(passed=1)
    assert developers.seen() == before


def test_a_setup_fixture_that_adds_data(site: Site) -> None:
    site.write(
        conftest="""
        import pytest
        from notes.models import Note

        @pytest.fixture(scope="session")
        def django_db_setup(django_db_setup, django_db_blocker):
            with django_db_blocker.unblock():
                Note.objects.create(text="for all")
        """,
        test_one=ONE.replace("== 1", "== 2"),
    )
    site.pytest().expect(passed=1)
    site.pytest().expect(passed=1)

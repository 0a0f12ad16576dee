"""Other versions of Django and pytest-django: supported, or refused at load."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.environments import asks_an_index
from tests.pytest_django.site import Developers, Site

TESTS = """
    from django.test import TestCase
    from notes.models import Note

    def test_with_pytest(db):
        assert Note.objects.count() == 1
        Note.objects.create(text="mine")

    def test_with_a_database_of_its_own(neon_db):
        assert Note.objects.count() == 1
        Note.objects.create(text="mine")

    class OfDjango(TestCase):
        def test_it(self):
            self.assertEqual(Note.objects.count(), 1)
            Note.objects.create(text="mine")
"""

VERSIONS = {
    "4.2": [
        *("pytest==7.4.0", "pytest-asyncio==0.21.2", "pytest-xdist==3.0.2"),
        *("pytest-django==4.5.2", "Django==4.2.30"),
    ],
    "5.1": ["pytest==8.0.2", "pytest-asyncio==0.23.8", "pytest-django==4.8.0", "Django==5.1.15"],
}


@pytest.mark.thorough
@asks_an_index
@pytest.mark.parametrize("version", [*VERSIONS])
def test_a_django_that_is_supported(
    site: Site, developers: Developers, tmp_path: Path, version: str
) -> None:
    site.install(tmp_path / "env", VERSIONS[version])
    before = developers.seen()
    site.write(notes__tests=TESTS)
    for args in ((), ("-n2",)):
        site.pytest(*args, "notes/tests.py").expect(passed=3)
    site.set('TEST_RUNNER = "neonup_pytest.django.NeonRunner"')
    run = site.manage("test")
    assert "Ran 1 test" in run.output and run.code == 0, run.output
    site.assert_nothing_left()
    assert developers.seen() == before


def test_manage_test_refuses_a_django_that_is_too_old(site: Site) -> None:
    site.set(
        """
        import django
        django.__version__ = "4.1.13"
        TEST_RUNNER = "neonup_pytest.django.NeonRunner"
        """
    )
    site.write(notes__tests=TESTS)
    run = site.manage("test")
    assert run.code == 1
    assert "neonup-pytest does not work with Django 4.1.13: it needs 4.2" in run.output
    assert "Traceback" not in run.output


def test_every_variable_leads_to_the_tests_database_with_manage_test(
    site: Site, developers: Developers
) -> None:
    site.set('TEST_RUNNER = "neonup_pytest.django.NeonRunner"')
    site.write(
        notes__tests="""
        import os
        from django.test import SimpleTestCase

        class It(SimpleTestCase):
            def test_it(self):
                for name in ("DATABASE_URL", "DATABASE_URL_DIRECT", "DIRECT_URL"):
                    assert "neonup_test_" in os.environ[name], name
        """
    )
    run = site.manage("test", DIRECT_URL=developers.url)
    assert run.code == 0, run.output

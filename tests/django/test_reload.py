"""A reload on a changed file: the same database, no second banner; a changed .env is seen."""

from __future__ import annotations

from pathlib import Path

from tests.django.site import Server, Site


def _reload(site: Site, server: Server) -> None:
    views = site.folder / "notes" / "views.py"

    def change() -> None:
        views.write_text(views.read_text() + "\n# changed\n")

    server.until_started_again(change)


def test_a_reload_finds_the_same_database_and_says_nothing(site: Site) -> None:
    with site.runserver() as server:
        before = server.json()["port"]
        for _ in range(2):
            _reload(site, server)
            assert server.json()["port"] == before
        assert len(server.banners) == 1
    assert site.env_file.read_text().count("DATABASE_URL=") == 1


def test_a_changed_env_file_is_seen_after_a_reload(site: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "other", site.environ)
    other.folder.mkdir()
    other.ok()
    with site.runserver() as server:
        before = server.json()["port"]
        site.env_file.write_text(f"DATABASE_URL={other.url}\n")
        _reload(site, server)
        assert f":{server.json()['port']}/" in other.url
        assert server.json()["port"] != before
        assert len(server.banners) == 2


def test_another_git_branch_brings_its_own_data(site: Site) -> None:
    """The reload that a checkout causes exchanges the data, and says so."""
    site.write("pyproject.toml", "[tool.neonup]\ngit_branches = true\n")
    site.write(".gitignore", ".env\n__pycache__\n")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        assert site.command([*git, *arguments]).returncode == 0
    site.managed("migrate")
    with site.runserver() as server:
        assert server.json("add") == {"notes": 1}
        assert site.command([*git, "switch", "-q", "-c", "topic"]).returncode == 0
        _reload(site, server)
        assert server.json("add") == {"notes": 2}
        assert site.command([*git, "switch", "-q", "main"]).returncode == 0
        _reload(site, server)
        assert server.json("add") == {"notes": 2}
        assert "neonup  git branch topic: begins as a copy of main" in server.said
        assert "neonup  git branch main: its own data" in server.said

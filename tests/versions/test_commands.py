"""``neonup versions`` and ``neonup undo`` as a person types them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.local.sql import ask
from tests.neon_new_server import NeonNewServer
from tests.project import Project, clean_environ


def names(project: Project) -> list[str]:
    return [one["name"] for one in project.json("versions", "list")["versions"]]


def test_undo_after_a_mistake(project: Project) -> None:
    said = project.ok("versions", "checkpoint", "good")
    assert re.search(r"Kept the database as good \(ver-\w+, [\d.]+ MB\)", said)
    project.query("DROP TABLE state")
    content = project.env_file.read_bytes()
    refused = project.fails("undo")
    assert "Nothing was changed" in refused
    said = project.ok("undo", "-y")
    assert "is back at good." in said
    found = re.search(r"neonup undo (before-restore-[\d-]+)` brings it back", said)
    assert found
    assert project.query("SELECT n FROM state") == "1"
    assert project.env_file.read_bytes() == content
    assert names(project) == [found[1], "good"]
    project.ok("undo", found[1], "-y")
    assert project.query("SELECT to_regclass('state') IS NULL") == "t"


def test_undo_is_repeated_from_the_same_version(project: Project) -> None:
    """The state that an undo replaced is not what the next one goes back to."""
    project.ok("versions", "checkpoint", "good")
    for _ in range(2):
        project.query("UPDATE state SET n = 2")
        assert project.json("undo", "-y")["name"] == "good"
        assert project.query("SELECT n FROM state") == "1"


def test_the_list(project: Project) -> None:
    assert "No versions." in project.ok("versions", "list")
    project.ok("versions", "checkpoint", "good")
    url = project.json("versions", "preview", "good", "--expires", "2h")["url"]
    assert ask(url, "TABLE state") == 1
    header, row, _, _, preview = project.ok("versions", "list").splitlines()
    assert header.split() == ["id", "name", "size", "age", "kept", "by"]
    assert re.fullmatch(r"ver-\w+  good  [\d.]+ MB  0 min ago  you", row)
    assert "preview-good" in preview
    assert url not in project.ok("versions", "list")
    listed = project.json("versions", "list")
    assert listed["previews"][0]["expires_at"]
    assert not listed["versions"][0]["automatic"]
    assert "1, " in project.json("status")["detail"]["versions"]
    kinds = {row["kind"]: row for row in project.json("list")}
    assert set(kinds) == {"project", "preview"}
    assert kinds["project"]["size"] > 1.6 * kinds["preview"]["size"]
    assert "(preview)" in project.ok("list")


def test_a_copy_to_try_something_on(project: Project) -> None:
    said = project.ok("versions", "preview")
    url = said.splitlines()[-1]
    ask(url, "UPDATE state SET n = 2")
    assert project.query("SELECT n FROM state") == "1"
    [copy] = project.json("versions", "list")["previews"]
    assert "Delete the preview" not in project.fails("versions", "delete", copy["name"])
    assert "Deleted" in project.ok("versions", "delete", copy["id"], "-y")
    assert project.json("versions", "list")["previews"] == []


def test_deleting_and_restoring_by_id_or_name(project: Project) -> None:
    made = project.json("versions", "checkpoint", "good")
    project.query("UPDATE state SET n = 2")
    project.json("versions", "restore", made["id"], "-y")
    assert project.query("SELECT n FROM state") == "1"
    assert project.json("versions", "delete", "good", "-y")["id"] == made["id"]
    assert "There is no version 'good'" in project.fails("versions", "delete", "good", "-y")
    assert "no version of a local Postgres" in project.fails("undo", "-y")


def test_a_moment_lists_the_versions_instead(project: Project) -> None:
    project.ok("versions", "checkpoint", "good")
    said = project.fails("undo", "--at", "5m ago", "-y")
    assert "not to any moment" in said
    assert "checked: good of" in said
    for arguments in (["good", "--at", "5m ago"], ["--at", "0/1A2B3C8"]):
        assert project.neonup("undo", *arguments, "-y").returncode == 2


def test_reset_keeps_the_versions_and_destroy_does_not(project: Project, neonup_home: Path) -> None:
    project.ok("versions", "checkpoint", "good")
    project.ok("versions", "preview", "good")
    project.json("reset", "-y")
    assert project.query("SELECT to_regclass('state') IS NULL") == "t"
    project.ok("undo", "-y")
    assert project.query("SELECT n FROM state") == "1"
    project.json("destroy", "-y")
    assert list((neonup_home / "databases").iterdir()) == []


def test_the_folder_of_a_project_that_is_gone(project: Project, tmp_path: Path) -> None:
    project.ok("versions", "preview")
    project.ok("stop", "--all")
    shutil.rmtree(project.folder)
    other = Project(tmp_path, project.environ)
    assert len(other.json("prune", "-y")["deleted"]) == 1
    assert other.json("list") == []  # the preview went with it


def test_no_database_and_ones_without_versions(
    tmp_path: Path, neonup_home: Path, neon_new_server: NeonNewServer
) -> None:
    project = Project(tmp_path, clean_environ(neonup_home))
    assert "so there are no versions of it" in project.fails("versions", "list")
    own = {"DATABASE_URL": "postgresql://me:secret@db.example/shop"}
    for command in (["versions", "list"], ["versions", "checkpoint"], ["undo", "-y"]):
        said = project.fails(*command, **own)
        assert "your own database, which neonup keeps no versions of" in said
        assert "secret" not in said
    api = {"NEONUP_NEON_NEW_URL": neon_new_server.api, "NEONUP_PROVIDER": "neon.new"}
    project.ok("-y", **api)
    said = project.fails("versions", "checkpoint", **api)
    assert "no versions of a neon.new database" in said
    assert "`neonup claim` takes this one into your account" in said


def test_other_commands_say_where_a_local_database_has_versions(project: Project) -> None:
    said = project.fails("snapshots", "list", NEON_API_KEY="key")
    assert "`neonup versions`" in said


def test_from_python(project: Project) -> None:
    code = "import neonup; print(neonup.checkpoint('good').name)"
    assert project.python(code).stdout == "good\n"
    assert names(project) == ["good"]


@pytest.mark.parametrize("command", [["versions", "restore", "gone", "-y"], ["undo", "gone", "-y"]])
def test_errors_as_json(project: Project, command: list[str]) -> None:
    done = project.neonup(*command, "--json")
    assert done.returncode == 1
    assert "There is no version 'gone'" in json.loads(done.stdout)["error"]["message"]

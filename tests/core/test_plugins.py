"""What a plugin may do wrong: it is named and left out, and the start goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins import install
from tests.project import Project

ENSURE = "import neonup; print(neonup.ensure().url)"

TEAM = """
from dataclasses import dataclass
import neonup

@dataclass(frozen=True)
class TeamOptions(neonup.Options):
    table = "team"
    url: str | None = neonup.option()

class TeamProvider(neonup.Provider):
    name = "team"
    options = TeamOptions

    def unavailable(self):
        return None if TeamOptions.of(self.settings).url else "set NEONUP_TEAM_URL"

    def provision(self, spec):
        url = TeamOptions.of(self.settings).url
        return neonup.Database(url, self.name, id="one", key=spec.key, created=True)

    def delete(self, database):
        pass

@neonup.hookimpl
def neonup_providers():
    return [TeamProvider]
"""


def plugin(project: Project, tmp_path: Path, source: str, name: str = "team") -> Project:
    install(tmp_path / "site", name, source)
    project.environ["PYTHONPATH"] = str(tmp_path / "site")
    project.environ["NEONUP_ENV"] = "development"
    return project


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import neonup\n@neonup.hookimpl\ndef neonup_redy(): 1/0", "did you mean 'neonup_ready'?"),
        ("import neonup\n@neonup.hookimpl\ndef send_mail(): 1/0", "the hooks are neonup_providers"),
        (
            "import neonup\n@neonup.hookimpl\ndef neonup_ready(database, creatd): 1/0",
            "Argument(s) {'creatd'}",
        ),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        (
            "import neonup\n@neonup.hookimpl\ndef neonup_providers(): return ['x']",
            "'x', which is no",
        ),
    ],
    ids=["misspelt", "unknown", "parameter", "exit", "raises", "no provider"],
)
def test_a_plugin_that_cannot_be_used_is_named_and_left_out(
    project: Project, tmp_path: Path, source: str, said: str
) -> None:
    also = "\n@neonup.hookimpl\ndef neonup_commands(group): raise RuntimeError('left out')\n"
    source += also if "hookimpl" in source and "providers" not in source else ""
    plugin(project, tmp_path, source)
    done = project.python(ENSURE)
    assert done.stdout.strip() == project.url, done.stderr
    assert "neonup: the plugin team" in done.stderr
    assert "could not be loaded and was skipped" in done.stderr
    assert said in done.stderr
    assert project.query("SELECT 1") == "1"
    helped = project.neonup("--help")
    assert helped.returncode == 0 and "left out" not in helped.stderr


@pytest.mark.parametrize(
    ("toml", "variables", "said"),
    [
        ("[tool.neonup.team]\nulr = 'x'", {}, ("unknown option 'ulr'", "'url'")),
        ("[tool.neonup.taem]\nurl = 'x'", {}, ("unknown table 'taem'", "'team'")),
        ("", {"NEONUP_TEAM_ULR": "x"}, ("unknown variable 'NEONUP_TEAM_ULR'", "'NEONUP_TEAM_URL'")),
        ("[tool.neonup.acount]\nurl = 'x'", {}, ("unknown table 'acount'", "'account'")),
    ],
)
def test_names_that_no_plugin_reads_are_refused_where_one_is_loaded(
    project: Project, tmp_path: Path, toml: str, variables: dict[str, str], said: tuple[str, ...]
) -> None:
    (project.folder / "pyproject.toml").write_text(toml)
    plugin(project, tmp_path, TEAM)
    failed = project.fails(**variables)
    assert all(words in failed for words in said), failed
    assert not project.env_file.exists()
    assert all(words in project.neonup("doctor", **variables).stdout for words in said[:1])


def test_a_plugins_own_names_are_taken(project: Project, tmp_path: Path) -> None:
    """Also those that are like one of neonup's: once the plugin is loaded, they are known."""
    url = "postgresql://me@127.0.0.1:1/mine"
    (project.folder / "pyproject.toml").write_text(f"[tool.neonup.locale]\nurl = '{url}'")
    plugin(project, tmp_path, TEAM.replace('"team"', '"locale"'), "locale")
    project.ok("--provider", "locale")
    assert project.url == url
    project.ok("--provider", "locale", "--force", NEONUP_LOCALE_URL=f"{url}2")
    assert project.url == f"{url}2"

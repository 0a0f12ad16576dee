"""The shell completes commands, options and names that this machine knows, and starts nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from neonup.settings import resolve
from neonup_cloud.account.git_branches import GitBranches, GitBranchRecord
from tests.project import Project
from tests.terminal import terminal

PYPROJECT = """
[tool.neonup.fleet]
prefix = "shop"
[tool.neonup.fleet.tiers.free]
[tool.neonup.fleet.tiers.pro]
"""


def completed(project: Project, line: str) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    done = project.neonup(
        _NEONUP_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return [offered.partition(",")[2] for offered in done.stdout.split()]


def test_commands_and_options_are_completed(project: Project) -> None:
    assert completed(project, "neonup sta") == ["status"]
    assert completed(project, "neonup --ver") == ["--version"]
    assert completed(project, "neonup versions re") == ["restore"]
    assert "--json" in completed(project, "neonup status --")
    assert completed(project, "neonup up --provider l") == ["local"]
    assert completed(project, "neonup completion ") == ["bash", "zsh", "fish"]
    assert completed(project, "neonup undo ") == []  # there is no database


def test_names_are_completed_and_no_server_is_started(project: Project) -> None:
    (project.folder / "pyproject.toml").write_text(PYPROJECT)
    project.ok()
    project.ok("versions", "checkpoint", "good")
    project.ok("versions", "checkpoint", "gone")
    project.ok("stop")
    settings = resolve(project.folder, environ=project.environ)
    GitBranches.of(settings).put(settings, "feature", GitBranchRecord("p/b", "h", "feature-1"))
    assert completed(project, "neonup undo go") == ["gone", "good"]
    assert completed(project, "neonup versions delete good") == ["good"]
    assert completed(project, "neonup status -k ") == ["DATABASE_URL"]
    assert completed(project, "neonup branches delete ") == ["feature-1"]
    assert completed(project, "neonup fleet provision anna ") == ["free", "pro"]
    assert "machine" in completed(project, "neonup engine use ")
    assert [row["state"] for row in project.json("list")] == ["stopped"]


def test_where_the_settings_cannot_be_used_nothing_is_completed(project: Project) -> None:
    (project.folder / "pyproject.toml").write_text("[tool.neonup]\nprovider = 1\n")
    assert completed(project, "neonup undo ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(project: Project, shell: str) -> None:
    assert f"_NEONUP_COMPLETE={shell}_complete" in project.ok("completion", shell)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_bash_completes_with_the_script(project: Project) -> None:
    script = """
eval "$(neonup completion bash)"
COMP_WORDS=(neonup desto); COMP_CWORD=1
_neonup_completion neonup
COMP_WORDS=(neonup dest)
_neonup_completion neonup
printf '%s\n' "${COMPREPLY[@]}"
"""
    path = f"{Path(sys.executable).parent}:{project.environ['PATH']}"
    done = project.command(["bash", "-c", script], PATH=path)
    assert done.stdout == "destroy\n", done.stderr


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not here")
def test_fish_completes_with_the_script(project: Project) -> None:
    project.ok()
    project.ok("versions", "checkpoint", "before, as it was")
    path = f"{Path(sys.executable).parent}:{project.environ['PATH']}"

    def offered(line: str) -> list[str]:
        script = f"neonup completion fish | source; complete -C '{line}'"
        done = project.command(["fish", "--no-config", "-c", script], PATH=path)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert offered("neonup desto") == []
    assert offered("neonup destr") == ["destroy\tDelete the database, and its lines in .env."]
    assert offered("neonup undo bef") == ["before, as it was"]
    assert offered("neonup completion f") == ["fish"]


ZSHRC = """
unsetopt monitor
PROMPT='ready> '
autoload -U compinit && compinit -u -D
eval "$(neonup completion zsh)"
shown() { print -r -- "<$BUFFER>" }
zle -N shown
bindkey '^X' shown
"""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not here")
@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("neonup destr", "neonup destroy "),
        ("neonup --ver", "neonup --version "),
        ("neonup completion zs", "neonup completion zsh "),
    ],
)
def test_zsh_completes_with_the_script(project: Project, typed: str, line: str) -> None:
    (project.folder / ".zshrc").write_text(ZSHRC)
    path = f"{Path(sys.executable).parent}:{project.environ['PATH']}"
    env = {**project.environ, "PATH": path, "ZDOTDIR": str(project.folder)}
    with terminal(["zsh", "-d", "-i"], cwd=project.folder, env=env, interactive=True) as screen:
        screen.until("ready> ")
        screen.type(f"{typed}\t\x18")
        screen.until(f"<{line}>")
        screen.type("\x15exit\n")
        screen.end()

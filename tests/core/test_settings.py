"""Settings: one order of precedence, and every value knows where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from neonup import Options, SettingsError, option
from neonup.settings import check_names, find_project, resolve
from neonup.tables import NeonNewOptions


def declare(project: Path, toml: str) -> None:
    (project / "pyproject.toml").write_text(toml)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.neonup]\nkey = "FROM_PYPROJECT"\nseed = "db/seed.sql"\n'
        '[tool.neonup."neon.new"]\nurl = "http://127.0.0.1:1/api/v1"\n'
    )
    return tmp_path


def test_an_argument_wins_over_the_environment_over_pyproject(project: Path) -> None:
    environ = {"NEONUP_KEY": "FROM_ENVIRONMENT"}
    assert resolve(project, environ={}).key == "FROM_PYPROJECT"
    assert resolve(project, environ=environ).key == "FROM_ENVIRONMENT"
    settings = resolve(project, environ=environ, key="FROM_ARGUMENT")
    assert settings.key == "FROM_ARGUMENT"
    assert settings.source("key") == "argument"
    assert resolve(project, environ=environ).source("key") == "NEONUP_KEY"
    assert resolve(project, environ={}).source("key") == "pyproject.toml"
    assert resolve(project, environ={}).source("ref") == "default"


def test_an_empty_variable_counts_as_unset(project: Path) -> None:
    assert resolve(project, environ={"NEONUP_KEY": ""}).key == "FROM_PYPROJECT"


def test_paths_of_pyproject_are_the_projects_and_arguments_the_current_folders(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert resolve(project, environ={}).seed == project / "db/seed.sql"
    assert resolve(project, environ={}, seed="x.sql").seed == elsewhere / "x.sql"
    assert resolve(project, environ={}).env_file == project / ".env"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"NEONUP_KEY": "NOT A NAME"}, "key = 'NOT A NAME' \\(from NEONUP_KEY\\)"),
        ({"NEONUP_ON_EXPIRY": "panic"}, "one of ask, replace"),
        ({"NEONUP_LOGICAL_REPLICATION": "maybe"}, "true or false"),
        ({"NEONUP_PREFIX": "A-B"}, "letters, digits and underscores"),
    ],
)
def test_a_bad_value_names_its_source(project: Path, environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        resolve(project, environ=environ)


def test_an_unknown_setting_is_an_error_that_guesses_what_was_meant(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.neonup]\nprovidr = "local"\n')
    with pytest.raises(SettingsError, match="providr") as error:
        resolve(tmp_path, environ={})
    assert error.value.remedy == "Did you mean 'provider'?"


def test_a_list_of_names_is_parted_by_commas_in_a_variable(tmp_path: Path) -> None:
    assert resolve(tmp_path, environ={}).extensions == ()
    environ = {"NEONUP_EXTENSIONS": "vector, postgis,"}
    assert resolve(tmp_path, environ=environ).extensions == ("vector", "postgis")
    assert resolve(tmp_path, environ=environ, extensions=["hstore"]).extensions == ("hstore",)
    declare(tmp_path, '[tool.neonup]\nextensions = ["uuid-ossp"]\n')
    assert resolve(tmp_path, environ={}).extensions == ("uuid-ossp",)
    declare(tmp_path, "[tool.neonup]\nextensions = 3\n")
    with pytest.raises(SettingsError, match=r'a list of names, like \["vector", "postgis"\]'):
        resolve(tmp_path, environ={})


def test_a_wrong_type_in_pyproject_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.neonup]\nkey = 7\n")
    with pytest.raises(SettingsError, match=r"key = 7 \(from pyproject\.toml\)"):
        resolve(tmp_path, environ={})


def test_broken_toml_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.neonup\n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        resolve(tmp_path, environ={})


@pytest.mark.parametrize("name", ["pyproject.toml", "manage.py"])
def test_the_project_is_the_nearest_folder_upward_that_looks_like_one(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()
    (tmp_path / "src" / "app").mkdir(parents=True)
    assert find_project(tmp_path / "src" / "app") == tmp_path


def test_a_env_file_of_ours_marks_a_project_and_a_foreign_one_does_not(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    below = tmp_path / "service"
    below.mkdir()
    (tmp_path / ".env").write_text("A=1\n")
    assert find_project(below) == below
    (tmp_path / ".env").write_text("# neonup: DATABASE_URL provider=local\n")
    assert find_project(below) == tmp_path


def test_the_search_ends_at_the_repositorys_root(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    below = tmp_path / "vendored" / "pkg"
    below.mkdir(parents=True)
    (tmp_path / "vendored" / ".git").mkdir()
    assert find_project(below) == below


def test_a_providers_own_options(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = resolve(project, environ={})
    assert NeonNewOptions.of(settings).url == "http://127.0.0.1:1/api/v1"
    assert NeonNewOptions.of(settings).timeout == 30
    monkeypatch.setenv("NEONUP_NEON_NEW_URL", "http://127.0.0.1:2/api/v1")
    assert NeonNewOptions.of(settings).url == "http://127.0.0.1:2/api/v1"
    monkeypatch.setenv("NEONUP_NEON_NEW_TIMEOUT", "an hour")
    with pytest.raises(SettingsError, match=r"timeout = 'an hour' \(from NEONUP_NEON_NEW_TIMEOUT"):
        NeonNewOptions.of(settings)


@dataclass(frozen=True)
class TeamOptions(Options):
    """Of a plugin's provider."""

    table = "team"
    folder: Path | None = option(Path)
    count: int = option(int, 3)
    quick: bool = option(bool, default=False)


def test_options_of_a_plugin_are_declared_in_the_same_way(tmp_path: Path) -> None:
    declare(tmp_path, '[tool.neonup.team]\nfolder = "bin"\nquick = "yes"\n')
    settings = resolve(tmp_path, environ={})
    assert TeamOptions.of(settings) == TeamOptions(tmp_path / "bin", 3, quick=True)
    declare(tmp_path, "[tool.neonup.team]\ncuont = 4\n")
    with pytest.raises(
        SettingsError, match=r"\[tool.neonup.team\] has an unknown option 'cuont'"
    ) as error:
        TeamOptions.of(resolve(tmp_path, environ={}))
    assert error.value.remedy == "Did you mean 'count'?"


def test_a_relative_folder_of_programs_is_the_projects(tmp_path: Path) -> None:
    declare(tmp_path, '[tool.neonup]\npg_bin = "tools/bin"\n')
    assert resolve(tmp_path, environ={}).pg_bin == tmp_path / "tools/bin"
    environ = {"NEONUP_PG_BIN": "others"}
    assert resolve(tmp_path, environ=environ).pg_bin == tmp_path / "others"
    assert resolve(tmp_path, environ={}, pg_bin="mine").pg_bin == Path.cwd() / "mine"


@pytest.mark.parametrize(
    ("toml", "environ", "message", "meant"),
    [
        ("[tool.neonup.account]\nregoin = 'x'", {}, "unknown option 'regoin'", "'region'"),
        ("[tool.neonup.acount]\nregion = 'x'", {}, "unknown table 'acount'", "'account'"),
        ("[tool.neonup.local]\nengin = 'x'", {}, "unknown option 'engin'", "'engine'"),
        ("[tool.neonup.'neon.new']\ntimout = 1", {}, "unknown option 'timout'", "'timeout'"),
        ("[tool.neonup.claimable]\ncapability = 'x'", {}, "'capability'", "'capabilities'"),
        ("[tool.neonup.fleet]\nprefx = 'x'", {}, "unknown option 'prefx'", "'prefix'"),
        ("[tool.neonup.pull]\nmaks = {}", {}, "unknown option 'maks'", "'mask'"),
        ("", {"NEONUP_PROVIDR": "local"}, "variable 'NEONUP_PROVIDR'", "'NEONUP_PROVIDER'"),
        ("", {"NEONUP_ACCOUNT_REGOIN": "x"}, "'NEONUP_ACCOUNT_REGOIN'", "'NEONUP_ACCOUNT_REGION'"),
    ],
)
def test_a_misspelt_name_is_an_error_that_says_what_was_meant(
    tmp_path: Path, toml: str, environ: dict[str, str], message: str, meant: str
) -> None:
    declare(tmp_path, toml)
    with pytest.raises(SettingsError, match=message) as error:
        resolve(tmp_path, environ=environ)
    assert f"Did you mean {meant}?" in (error.value.remedy or "")


def test_what_may_be_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    declare(tmp_path, "[tool.neonup.warehouse]\nurl = 'x'")
    environ = {"NEONUP_WAREHOUSE_URL": "x", "NEONUP_TEST_SERVER": "1"}
    assert resolve(tmp_path, environ=environ).tables == {"warehouse": {"url": "x"}}
    own = {one.table: one for one in (NeonNewOptions, TeamOptions)}
    with pytest.raises(SettingsError, match="unknown table 'warehouse'"):
        check_names({"warehouse": {}}, {}, own)  # once plugins are loaded
    check_names({"team": {"count": 1}}, {"NEONUP_TEAM_COUNT": "1"}, own)
    with pytest.raises(SettingsError, match="unknown variable 'NEONUP_TEAM_CUONT'"):
        check_names({}, {"NEONUP_TEAM_CUONT": "1"}, own)


def test_a_project_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        resolve(tmp_path / "nowhere", environ={})

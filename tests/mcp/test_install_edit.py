"""The server in configuration files that somebody else wrote: all else stays, byte by byte."""

from __future__ import annotations

import json
import tomllib

import pytest

from neonup_mcp.install import edit

SERVER = {
    "command": "/venv/bin/neonup",
    "args": ["mcp", "--project", 'a "b" \\ ü'],
    "env": {"A": "1"},
}

JSON = {
    "nothing": "",
    "white space": " \n",
    "an empty object": "{}",
    "an empty section": '{\n  "mcpServers": {}\n}\n',
    "another server": '{\n\t"mcpServers": {\n\t\t"other": {"args": ["a", "b"]}\n\t}\n}',
    "other settings": '{"theme": "dark", "list": [1,2 , 3],\n "n": 1.10, "e": "\\u00e9"}\n',
    "the section's name elsewhere": '{"a": {"mcpServers": {}}, "b": "\\"mcpServers\\": {"}',
    "the server's name elsewhere": '{"neonup": {}, "mcpServers": {"a": {"neonup": 1}}}',
    "an older entry": '{"mcpServers": {"neonup": {"command": "x"}, "b": {}}, "z": [ ]}',
}


@pytest.mark.parametrize("case", JSON)
def test_json_keeps_all_else(case: str) -> None:
    before = JSON[case]
    after = edit.with_server(before, "mcpServers", "neonup", SERVER, toml=False)
    expected = json.loads(before.strip() or "{}")
    expected.setdefault("mcpServers", {})["neonup"] = SERVER
    assert json.loads(after) == expected
    _check_kept(before, after)
    assert edit.with_server(after, "mcpServers", "neonup", SERVER, toml=False) == after


TOML = {
    "nothing": "",
    "other settings": '# mine\nmodel = "x"  # the best\n\n[mcp_servers.other]\ncommand = "y"',
    "no newline at the end": "a = 1",
    "an older entry": '[mcp_servers.neonup]\nargs = [\n  "a",\n]\n\n[z]\n# kept\nb = 2\n',
    "an older one with a table": '[mcp_servers.neonup]\na = 1\n[mcp_servers.neonup.env]\nB="2"\n',
}


@pytest.mark.parametrize("case", TOML)
def test_toml_keeps_all_else(case: str) -> None:
    before = TOML[case]
    after = edit.with_server(before, "mcp_servers", "neonup", SERVER, toml=True)
    expected = tomllib.loads(before)
    expected.setdefault("mcp_servers", {})["neonup"] = SERVER
    assert tomllib.loads(after) == expected
    for comment in ("# mine", "# the best", "# kept"):
        assert (comment in before) == (comment in after)
    assert edit.with_server(after, "mcp_servers", "neonup", SERVER, toml=True) == after


@pytest.mark.parametrize(
    ("text", "toml"),
    [
        ('{"a": 1, // mine\n}', False),
        ('{"a": 1,}', False),
        ("{", False),
        ("[]", False),
        ('{"mcpServers": []}', False),
        ("a = ", True),
        ("mcpServers = 1", True),
        ('mcpServers = { other = { command = "x" } }', True),  # no table can be added to that
    ],
)
def test_what_cannot_be_changed_safely_is_refused(text: str, toml: bool) -> None:
    with pytest.raises(edit.NotUnderstood):
        edit.with_server(text, "mcpServers", "neonup", SERVER, toml=toml)


def test_line_ends_stay_those_of_windows() -> None:
    after = edit.with_server('{\r\n  "a": 1\r\n}\r\n', "mcpServers", "neonup", SERVER, toml=False)
    assert after.count("\n") == after.count("\r\n") > 5


def _check_kept(before: str, after: str) -> None:
    """The new text is the old one with one piece put in, perhaps in place of the older entry."""
    start = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before)
    )
    rest = before[start:]
    while rest and not after.endswith(rest):
        rest = rest[1:]
    assert before[start : len(before) - len(rest)].strip() in '{"command": "x"}'

"""One server in a configuration file, in text that somebody else wrote.

Every other byte stays. A place for the new text is tried, and the whole is parsed again: only if it
says what it said before, and the new server, is it taken.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from neonup import NeonupError

Server = Mapping[str, Any]


class NotUnderstood(NeonupError):
    """The file is not what its name says, or has comments, which JSON has not."""


def with_server(text: str, section: str, name: str, server: Server, *, toml: bool) -> str:
    """The text with the server in it; the same text if it is there already.

    Args:
        text: the file's content; empty for a new file.
        section: the key, or TOML table, under which servers are.
        name: the server's.
        server: what the file should say of it.
        toml: whether the file is TOML; else JSON.

    Raises:
        NotUnderstood: there is no safe way to change it.
    """
    if "\r\n" in text and text.count("\r\n") == text.count("\n"):
        changed = with_server(text.replace("\r\n", "\n"), section, name, server, toml=toml)
        return changed.replace("\n", "\r\n")
    parse = _toml if toml else _json
    before = parse(text)
    if not isinstance(before.get(section, {}), dict):
        raise NotUnderstood(f"{section!r} in it is not a table of servers.")
    wanted = {**before, section: {**before.get(section, {}), name: dict(server)}}
    if before == wanted:
        return text
    tries = _toml_texts if toml else _json_texts
    for candidate in tries(text, section, name, server):
        try:
            parsed = parse(candidate)
        except NotUnderstood:
            continue
        if parsed == wanted:
            return candidate
    raise NotUnderstood("There is no safe place for the new server in it.")


def as_text(section: str, name: str, server: Server, *, toml: bool) -> str:
    """A file that has the server and nothing else, or what is to be pasted into one."""
    return _toml_table(section, name, server) if toml else _document(section, name, server)


def _json(text: str) -> dict[str, Any]:
    return _parsed(
        json.loads, text.strip() or "{}", "JSON", "Comments are not JSON: it may have some."
    )


def _toml(text: str) -> dict[str, Any]:
    return _parsed(tomllib.loads, text, "TOML", "It may be damaged.")


def _parsed(parse: Callable[[str], Any], text: str, form: str, why: str) -> dict[str, Any]:
    try:
        parsed = parse(text)
    except ValueError as error:
        raise NotUnderstood(f"It cannot be read as {form}: {error}. {why}") from None
    if not isinstance(parsed, dict):
        raise NotUnderstood("It is not an object.")
    return parsed


def _document(section: str, name: str, server: Server, indent: str = "  ") -> str:
    return json.dumps({section: {name: server}}, indent=indent, ensure_ascii=False) + "\n"


def _json_texts(text: str, section: str, name: str, server: Server) -> Iterator[str]:
    """Texts that may have the server in the right place, the likeliest first."""
    if not text.strip():
        yield _document(section, name, server)
        return
    indent = next(iter(re.findall(r"^([ \t]+)\S", text, re.M)), "  ")
    for key in re.finditer(rf"{re.escape(json.dumps(name))}\s*:\s*", text):
        try:  # in place of what it says now
            _, end = json.JSONDecoder().raw_decode(text, key.end())
        except ValueError:
            continue
        yield text[: key.end()] + _json_value(server, indent, 2) + text[end:]
    for key in re.finditer(rf"{re.escape(json.dumps(section))}\s*:\s*\{{", text):
        yield _inserted(text, key.end(), {name: server}, indent, depth=2)
    start = text.index("{") + 1
    yield _inserted(text, start, {section: {name: server}}, indent, depth=1)


def _inserted(text: str, at: int, member: Server, indent: str, *, depth: int) -> str:
    """The text with a member more at the beginning of an object."""
    ((key, value),) = member.items()
    new = f"\n{indent * depth}{json.dumps(key)}: {_json_value(value, indent, depth)}"
    is_empty = text[at:].lstrip().startswith("}")
    tail = text[at:].lstrip() if is_empty else text[at:]
    return text[:at] + new + (f"\n{indent * (depth - 1)}" if is_empty else ",") + tail


def _json_value(value: object, indent: str, depth: int) -> str:
    lines = json.dumps(value, indent=indent, ensure_ascii=False).split("\n")
    return f"\n{indent * depth}".join(lines)


def _toml_texts(text: str, section: str, name: str, server: Server) -> Iterator[str]:
    table = _toml_table(section, name, server)
    header = re.escape(f"[{section}.{name}")
    old = re.search(rf"^{header}\](?:.*\n?)(?:(?:(?!\[).*\n)|(?:{header}\..*\n))*", text, re.M)
    if old:
        rest = text[old.end() :]
        yield text[: old.start()] + table + ("\n" if rest.startswith("[") else "") + rest
    lead = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    yield text + lead + table


def _toml_table(section: str, name: str, server: Server) -> str:
    # JSON's strings, and lists of them, are TOML's, too.
    plain = [(key, value) for key, value in server.items() if not isinstance(value, dict)]
    lines = [f"[{section}.{name}]"]
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in plain]
    for key, value in server.items():
        if isinstance(value, dict):
            pairs = ", ".join(
                f"{field} = {json.dumps(text, ensure_ascii=False)}" for field, text in value.items()
            )
            lines.append(f"{key} = {{ {pairs} }}")
    return "\n".join(lines) + "\n"

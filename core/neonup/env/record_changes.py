"""Writing a database's block into ``.env``, and taking it out again; see `neonup.env.record`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC
from importlib.util import find_spec
from pathlib import Path

from neonup.database import USER, Database
from neonup.env import dotenv, files, lock, record
from neonup.env.dotenv import Statement
from neonup.errors import ProviderError, SettingsError
from neonup.settings import AUTO, Settings

_OWN = "# before neonup: "
"""What the user's own lines begin with, as comments, whose place a database of neonup's took."""
_RECORD = "# neonup: "
_EXPIRES = "# Claimable DB expires at: "
_CLAIM_IT = "# Claim it now to your account using the link below:"


def write(
    database: Database,
    settings: Settings,
    path: Path,
    *,
    extra: Mapping[str, str] | None = None,
    replace: bool,
    other: bool = False,
) -> None:
    """Write the block: appended where the key has no value, else in the old one's place.

    Lines of the user's own whose place it takes become comments, which `forget` puts back.

    Args:
        database: the database; ``database.key`` is the variable.
        settings: in which form.
        path: the file.
        extra: more variables, from plugins.
        replace: whether neonup's lines of this key may be rewritten.
        other: whether plugins' variables in them lead to another database, and go with it.

    Raises:
        EnvFileError: it could not be written, or would not read back; the file is as it was.
        ProviderError: the provider's URL or a plugin's value cannot stand in such a file.
    """
    extra, database = extra or {}, database.in_scheme(settings.url_scheme)
    variables, lines = compose(database, settings, extra)
    with lock.writing(path, settings.home):
        file = dotenv.read(path)
        managed = _managed(file, database.key, extra) if replace else set()
        before = record.our_record(record.comments(file, managed), database.key)
        if other:
            managed |= _managed(file, database.key, _names(before)) if managed else set()
            before.pop("more", None)
        words = _words_to_keep(file, before, managed, extra)
        own = _of_the_project(database, settings, file)
        if own:
            marks = (f"{name}:{record.checksum(value)}" for name, value in own.items())
            words.append(f"variables={','.join(marks)}")
        facts = next(index for index, line in enumerate(lines) if line.startswith(_RECORD))
        lines[facts] = " ".join([lines[facts], *words])
        lines += [_assignment(name, value) for name, value in own.items()]
        variables |= {name: value for name, value in own.items() if value}
        if not replace:
            dotenv.add(file, lines, expect=variables)
            return
        instead = _commented(file, managed) if _displaces_own(file, database) else {}
        dotenv.rewrite(file, managed, lines, expect=variables, instead=instead)


def _of_the_project(database: Database, settings: Settings, file: dotenv.EnvFile) -> dict[str, str]:
    """The variables of ``[tool.neonup.variables]`` that are written: not those the user has set."""
    if not settings.variables:
        return {}
    from neonup.postgres import templates

    values = templates.fill(settings.variables, database.url, database.direct)
    others = record.own_values(file, database.key, values)
    return {name: value for name, value in values.items() if name not in others}


def is_current(database: Database, settings: Settings, file: dotenv.EnvFile) -> bool:
    """Whether a file has the URL and ``[tool.neonup.variables]`` as they would be written."""
    statements, lines = file.statements, record.written(file, database.key)
    values = {name: statements[index].value for index, name in lines.items()}
    is_same_url = file.values().get(database.key) == database.url
    return is_same_url and values == _of_the_project(database, settings, file)


def _assignment(name: str, value: str) -> str:
    line = dotenv.assignment(name, value)
    if line is None:
        raise SettingsError(
            f"{name} of [tool.neonup.variables] has characters that a .env file cannot hold; "
            "nothing was written.",
            remedy="Use {url}, in which they are encoded.",
        )
    return line


def _displaces_own(file: dotenv.EnvFile, database: Database) -> bool:
    """Whether a database takes the place of one that was never neonup's."""
    if database.provider == USER:
        return False
    before = record.parse(file, database.key)
    return before is not None and before.provider == USER and before.before_claim is None


def forget(key: str, settings: Settings, path: Path) -> None:
    """Take the block of a key out of a file again, with all that was added for it.

    The file is byte for byte as it was; one that neonup made, and that holds nothing else, is gone.
    """
    with lock.writing(path, settings.home):
        _remove_block(key, path)


def _remove_block(key: str, path: Path) -> None:
    file = dotenv.read(path)
    block = record.block(file, key)
    words = record.our_record(record.comments(file, block), key)
    managed = _managed(file, key, _names(words))
    if not managed:
        return
    instead = _restored(file, block)
    managed |= instead.keys()
    added = words.get("added")
    statements = file.statements
    rest = [text.text for index, text in enumerate(statements) if index not in managed]
    is_last = max(managed) == len(statements) - 1
    if not rest and not instead and added == "file" and not file.bom:
        files.remove(path)
    elif added == "newline" and is_last and not instead:
        dotenv.rewrite(file, managed, [], expect={}, drop_line_end=True)
    else:
        dotenv.rewrite(file, managed, [], expect={}, instead=instead)
        if added is not None:
            _hand_on(added, dotenv.read(path), after=min(managed))


def _hand_on(added: str, file: dotenv.EnvFile, *, after: int) -> None:
    """Let the block of another key remember what was added before both."""
    statements = file.statements
    for index, statement in enumerate(statements):
        comment = statement.text.strip()
        lead, _, rest = comment.partition(_RECORD)
        if lead or not rest or " added=" in comment:
            continue
        key = rest.split()[0]
        if added == "newline" and min(record.block(file, key), default=-1) != after:
            continue
        line = f"{comment} added={added}"
        dotenv.rewrite(file, {index}, [line], expect={})
        return


def _words_to_keep(
    file: dotenv.EnvFile,
    old: Mapping[str, str],
    managed: Collection[int],
    extra: Mapping[str, str],
) -> list[str]:
    """What a new record says beside its facts: what was added for it, now or at first."""
    if managed:
        added = old.get("added")
    else:
        text = file.text or ""
        ended = not text or text.endswith(("\n", "\r"))
        added = "file" if file.text is None else None if ended else "newline"
    names = dict.fromkeys([*_names(old), *extra])
    words = {"added": added, "more": ",".join(names)}
    return [f"{name}={word}" for name, word in words.items() if word]


def _names(words: Mapping[str, str]) -> list[str]:
    """The variables of plugins that a record says are its own."""
    return [name for name in words.get("more", "").split(",") if name]


def _managed(file: dotenv.EnvFile, key: str, extra: Collection[str]) -> set[int]:
    statements, block = file.statements, record.block(file, key)
    by_name = {index for index in block if _is_managed(statements[index], key, extra)}
    return by_name | record.written(file, key).keys()


def compose(
    database: Database, settings: Settings, extra: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The variables that readers will find, and the lines that say them."""
    key = database.key
    more: dict[str, str] = {}
    if database.direct_url and database.direct_url != database.url:
        more[f"{key}_DIRECT"] = database.direct_url
    claim_name = f"{settings.prefix}{claim_prefix(key)}POSTGRES_CLAIM_URL"
    for name, value in {key: database.url, **more, claim_name: database.claim_url, **extra}.items():
        if value is not None and not (dotenv.safe_value(value) and re.fullmatch(r"\w+", name)):
            raise ProviderError(
                f"{name} from the provider {database.provider!r} has characters that a .env file "
                "cannot hold; nothing was written."
            )
    only_url = settings.env_keys == "url" or (
        settings.env_keys == AUTO and _refuses_unknown_keys(settings.project)
    )
    lead = "# " if only_url else ""
    lines = [f"{key}={database.url}", *(f"{lead}{name}={value}" for name, value in more.items())]
    lines.append(f"{_RECORD}{key} {_facts(database)}")
    if database.expires_at is not None:
        date = database.expires_at.astimezone(UTC)
        lines.append(_EXPIRES + f"{date:%a, %d %b %Y %H:%M:%S} GMT")
    elif database.stays:
        lines.append(record.STAYS)
    if database.claim_url is not None:
        more[claim_name] = database.claim_url
        lines += [_CLAIM_IT, f"{lead}{claim_name}={database.claim_url}"]
    lines += [f"{lead}{name}={value}" for name, value in extra.items()]
    variables = {key: database.url}
    return (variables if only_url else {**variables, **more, **extra}), lines


def _facts(database: Database) -> str:
    facts = {"provider": database.provider, "id": database.id, "host": record.place(database.url)}
    if database.expires_at is not None:
        facts["expires"] = database.expires_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return " ".join(f"{name}={value}" for name, value in facts.items() if value)


def _refuses_unknown_keys(project: Path) -> bool:
    """Whether the project uses pydantic-settings, whose default is ``extra="forbid"``."""
    if find_spec("pydantic_settings") is not None:
        return True
    sources = [project / "pyproject.toml", *project.glob("requirements*.txt")]
    names = re.compile(rb"pydantic[-_.]settings|fastapi\[(?:standard|all)", re.IGNORECASE)
    return any(path.is_file() and names.search(path.read_bytes()) for path in sources)


def _is_managed(statement: Statement, key: str, extra: Collection[str]) -> bool:
    if statement.key is not None:
        return (
            statement.key in (key, f"{key}_DIRECT", f"{key}_UNPOOLED")
            or statement.key.endswith(record.CLAIM_NAMES)
            or statement.key in extra
        )
    text = statement.text.strip()
    name = text.removeprefix("# ").partition("=")[0]
    return (
        text.startswith((f"{_RECORD}{key} ", record.STAYS, _EXPIRES, _CLAIM_IT))
        or name == f"{key}_DIRECT"
        or name.endswith(record.CLAIM_NAMES)
        or name in extra
    )


def claim_prefix(key: str) -> str:
    """What a claim link's variable starts with: ``X_`` for ``X_DATABASE_URL``."""
    return key.removesuffix("DATABASE_URL") if key.endswith("DATABASE_URL") else f"{key}_"


def _commented(file: dotenv.EnvFile, indexes: Collection[int]) -> dict[int, str]:
    """The variables among some statements, and what a push wrote of them, as comments."""
    texts = {index: file.statements[index].text.lstrip() for index in indexes}
    return {
        index: "".join(_OWN + line for line in text.splitlines(True))
        for index, text in texts.items()
        if file.statements[index].key is not None or text.startswith(_RECORD)
    }


def _restored(file: dotenv.EnvFile, indexes: Collection[int]) -> dict[int, str]:
    """What `_commented` made comments of, as it was, by the comments' indexes."""
    bodies = {index: file.statements[index].text.lstrip() for index in indexes}
    return {
        index: body.removeprefix(_OWN) for index, body in bodies.items() if body.startswith(_OWN)
    }

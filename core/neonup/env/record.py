"""The block that records a database in ``.env``: composed here, and read back here.

The keys and the form are those of the official ``neon-new`` command, so that either reads what
the other wrote; one comment more, ``# neonup: KEY provider=... id=... host=...``, ties provider,
id and expiry to the URL. It counts only while the URL still names that host. Its words ``added=``
and ``more=`` say what else neonup put there, so that `forget` leaves every byte as it was.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from neonup.database import USER, Database
from neonup.env import dotenv
from neonup.env.dotenv import Statement
from neonup.errors import EnvFileError, ProviderError
from neonup.postgres import urls
from neonup.settings import AUTO, Settings

_CLAIM_NAMES = ("POSTGRES_CLAIM_URL", "INSTAGRES_CLAIM_URL")
_CLAIM_ID = r"/(?:claim|database)/([0-9a-fA-F-]{36})(?:[/?#]|$)"
_CONNECTION = r"postgres(?:ql)?(?:\+\w+)?://"
_LEADS_ELSEWHERE = r"(?:^|(?<=&))(?:host|hostaddr|port|service)=[^&]*"
_STAYS = "# It stays until: neonup destroy"
_EXPIRES = "# Claimable DB expires at: "
_CLAIM_IT = "# Claim it now to your account using the link below:"


def write(
    database: Database,
    settings: Settings,
    path: Path,
    *,
    extra: Mapping[str, str] | None = None,
    replace: bool,
) -> None:
    """Write the block: appended where the key has no value, else in the old one's place.

    Lines of the user's own whose place it takes become comments, which `forget` puts back.

    Args:
        database: the database; ``database.key`` is the variable.
        settings: in which form.
        path: the file.
        extra: more variables, from plugins.
        replace: whether neonup's lines of this key may be rewritten.

    Raises:
        EnvFileError: it could not be written, or would not read back; the file is as it was.
        ProviderError: the provider's URL or a plugin's value cannot stand in such a file.
    """
    from neonup.env import lock, own_lines  # which most starts don't need

    extra = extra or {}
    variables, lines = compose(database, settings, extra)
    with lock.writing(path, settings.home):
        file = dotenv.read(path)
        managed = _managed(file, database.key, extra) if replace else set()
        words = _words_to_keep(file, database.key, managed, extra)
        facts = next(index for index, line in enumerate(lines) if line.startswith("# neonup: "))
        lines[facts] = " ".join([lines[facts], *words])
        if not replace:
            dotenv.add(file, lines, expect=variables)
            return
        instead = own_lines.commented(file, managed) if _displaces_own(file, database) else {}
        dotenv.rewrite(file, managed, lines, expect=variables, instead=instead)


def _displaces_own(file: dotenv.EnvFile, database: Database) -> bool:
    """Whether a database takes the place of one that was never neonup's."""
    if database.provider == USER:
        return False
    before = parse(file, database.key)
    return before is not None and before.provider == USER and before.before_claim is None


def forget(key: str, settings: Settings, path: Path) -> None:
    """Take the block of a key out of a file again, with all that was added for it.

    The file is byte for byte as it was; one that neonup made, and that holds nothing else, is gone.

    Raises:
        EnvFileError: it could not be written; it is as it was.
    """
    from neonup.env import lock

    with lock.writing(path, settings.home):
        _remove_block(key, path)


def _remove_block(key: str, path: Path) -> None:
    file = dotenv.read(path)
    block = _block(file, key)
    words = _our_record(_comments(file, block), key)
    managed = _managed(file, key, _names(words))
    if not managed:
        return
    from neonup.env import files, own_lines

    instead = own_lines.restored(file, block)
    managed |= instead.keys()
    added = words.get("added")
    statements = file.statements
    rest = [text.text for index, text in enumerate(statements) if index not in managed]
    is_last = max(managed) == len(statements) - 1
    if not rest and added == "file" and not file.bom:
        files.remove(path)
    elif added == "newline" and is_last:
        dotenv.rewrite(file, managed, [], expect={}, drop_line_end=True)
    else:
        dotenv.rewrite(file, managed, [], expect={}, instead=instead)
        if added is not None:
            _hand_on(added, dotenv.read(path), after=min(managed))


def _hand_on(added: str, file: dotenv.EnvFile, *, after: int) -> None:
    """Let the block of another key remember what was added before both.

    Args:
        added: what was added.
        file: the file, without the block that said so.
        after: where that block was.
    """
    statements = file.statements
    for index, statement in enumerate(statements):
        comment = statement.text.strip()
        lead, _, rest = comment.partition("# neonup: ")
        if lead or not rest or " added=" in comment:
            continue
        key = rest.split()[0]
        if added == "newline" and min(_block(file, key), default=-1) != after:
            continue
        line = f"{comment} added={added}"
        dotenv.rewrite(file, {index}, [line], expect={})
        return


def _words_to_keep(
    file: dotenv.EnvFile, key: str, managed: Collection[int], extra: Mapping[str, str]
) -> list[str]:
    """What a new record says beside its facts: what was added for it, now or at first."""
    old = _our_record(_comments(file, managed), key)
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


def _comments(file: dotenv.EnvFile, indexes: Collection[int]) -> list[str]:
    statements = file.statements
    return [statements[i].text.strip() for i in sorted(indexes) if statements[i].key is None]


def _managed(file: dotenv.EnvFile, key: str, extra: Collection[str]) -> set[int]:
    statements = file.statements
    return {index for index in _block(file, key) if _is_managed(statements[index], key, extra)}


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
    lines.append(f"# neonup: {key} {_facts(database)}")
    if database.expires_at is not None:
        date = database.expires_at.astimezone(UTC)
        lines.append(_EXPIRES + f"{date:%a, %d %b %Y %H:%M:%S} GMT")
    elif database.stays:
        lines.append(_STAYS)
    if database.claim_url is not None:
        more[claim_name] = database.claim_url
        lines += [_CLAIM_IT, f"{lead}{claim_name}={database.claim_url}"]
    lines += [f"{lead}{name}={value}" for name, value in extra.items()]
    variables = {key: database.url}
    return (variables if only_url else {**variables, **more, **extra}), lines


def _facts(database: Database) -> str:
    facts = {"provider": database.provider, "id": database.id, "host": _place(database.url)}
    if database.expires_at is not None:
        facts["expires"] = database.expires_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return " ".join(f"{name}={value}" for name, value in facts.items() if value)


def _refuses_unknown_keys(project: Path) -> bool:
    """Whether the project uses pydantic-settings, whose default is ``extra="forbid"``."""
    from importlib.util import find_spec

    if find_spec("pydantic_settings") is not None:
        return True
    sources = [project / "pyproject.toml", *project.glob("requirements*.txt")]
    names = re.compile(rb"pydantic[-_.]settings|fastapi\[(?:standard|all)", re.IGNORECASE)
    return any(path.is_file() and names.search(path.read_bytes()) for path in sources)


def _is_managed(statement: Statement, key: str, extra: Collection[str]) -> bool:
    if statement.key is not None:
        return (
            statement.key in (key, f"{key}_DIRECT", f"{key}_UNPOOLED")
            or statement.key.endswith(_CLAIM_NAMES)
            or statement.key in extra
        )
    text = statement.text.strip()
    name = text.removeprefix("# ").partition("=")[0]
    return (
        text.startswith((f"# neonup: {key} ", _STAYS, _EXPIRES, _CLAIM_IT))
        or name == f"{key}_DIRECT"
        or name.endswith(_CLAIM_NAMES)
        or name in extra
    )


def _block(file: dotenv.EnvFile, key: str) -> list[int]:
    """Where the key's block is: from its last line to the next connection URL of another name.

    An earlier line of that name has no meaning: readers take the last one. It is the user's.
    """
    statements = file.statements
    lines = [index for index, statement in enumerate(statements) if statement.key == key]
    if not lines:
        return []
    for end in range(lines[-1] + 1, len(statements)):
        statement = statements[end]
        if statement.key not in (f"{key}_DIRECT", f"{key}_UNPOOLED") and re.match(
            _CONNECTION, statement.value or ""
        ):
            return [*range(lines[-1], end)]
    return [*range(lines[-1], len(statements))]


def keys(file: dotenv.EnvFile) -> list[str]:
    """The variables of a file that hold a database's URL; its direct form is not one of its own."""
    values = {key: value for key, value in file.values().items() if re.match(_CONNECTION, value)}
    direct = {name for key in values for name in _direct_names(key)}
    return [key for key in values if key not in direct]


def parse(file: dotenv.EnvFile, key: str) -> Database | None:
    """The database that a file records under a key, whoever wrote it."""
    values = file.values()
    url = values.get(key)
    if url is None:
        return None
    statements = file.statements
    place = _block(file, key)
    lines = [statements[index] for index in place]
    comments = _comments(file, place)
    block = _commented(comments)
    block |= {line.key: values[line.key] for line in lines if line.key in values}
    block |= {name: values[name] for name in _direct_names(key) if name in values}
    found = Database(
        url,
        USER,
        direct_url=next((block[name] for name in _direct_names(key) if name in block), None),
        key=key,
        source=str(file.path),
    )
    ours = _our_record(comments, key)
    if ours and ours.get("host") == _place(url):
        expires = ours.get("expires")
        return found.with_(
            provider=ours.get("provider", USER),
            id=ours.get("id"),
            claim_url=_claim_url(block),
            expires_at=_expiry(expires, file.path) if expires else None,
            stays=any(statements[index].text.strip() == _STAYS for index in place),
        )
    return found if ours else _written_by_neon_new(found, comments, block)


def _expiry(text: str, path: Path) -> datetime:
    """When a record says that its database expires.

    Raises:
        EnvFileError: it is no time, or one without a time zone.
    """
    try:
        expires_at = datetime.fromisoformat(text)
    except ValueError:
        expires_at = None
    if expires_at is None or expires_at.tzinfo is None:
        raise EnvFileError(
            f"{path} says of its database expires={text}, which is no time with its zone.",
            remedy="Mend that comment, e.g. expires=2026-01-31T12:00:00+00:00, or remove the word.",
        )
    return expires_at


def _direct_names(key: str) -> list[str]:
    names = [f"{key}_DIRECT", f"{key}_UNPOOLED"]
    return [*names, "DIRECT_URL"] if key == "DATABASE_URL" else names


def _commented(comments: list[str]) -> dict[str, str]:
    """The variables that stand in comments, for readers that refuse keys they do not know."""
    pairs = (re.fullmatch(r"# (\w+)=(\S+)", comment) for comment in comments)
    return {match[1]: match[2] for match in pairs if match}


def _our_record(comments: list[str], key: str) -> dict[str, str]:
    lead = f"# neonup: {key} "
    for comment in comments:
        if comment.startswith(lead):
            words = (word.partition("=") for word in comment.removeprefix(lead).split())
            return {name: value for name, _, value in words}
    return {}


def _written_by_neon_new(found: Database, comments: list[str], block: dict[str, str]) -> Database:
    claim_url = _claim_url(block)
    match = re.search(_CLAIM_ID, claim_url or "")
    if match is None:
        return found
    expires_at = None
    for comment in comments:
        lead, _, date = comment.partition("expires at: ")
        if date and "DB" in lead:
            from email.utils import parsedate_to_datetime  # only for files of another tool

            try:
                expires_at = parsedate_to_datetime(date)
            except ValueError:
                continue
    return found.with_(provider="neon.new", id=match[1], claim_url=claim_url, expires_at=expires_at)


def _claim_url(block: Mapping[str, str]) -> str | None:
    return next((block[name] for name in block if name.endswith(_CLAIM_NAMES)), None)


def claim_prefix(key: str) -> str:
    """What a claim link's variable starts with: ``X_`` for ``X_DATABASE_URL``."""
    return key.removesuffix("DATABASE_URL") if key.endswith("DATABASE_URL") else f"{key}_"


def host(url: str) -> str:
    """The host and port past the pooler."""
    return urls.direct(url).rpartition("@")[2].partition("/")[0].partition("?")[0]


def _place(url: str) -> str:
    """What ties a record to its URL: its host, and parameters that lead elsewhere than that."""
    parameters = re.findall(_LEADS_ELSEWHERE, url.partition("?")[2])
    return host(url) + ("?" + "&".join(parameters) if parameters else "")

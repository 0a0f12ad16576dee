"""The block that records a database in ``.env``, read; `neonup.env.record_changes` writes it.

The keys and the form are those of the official ``neon-new`` command, so that either reads what
the other wrote; one comment more, ``# neonup: KEY provider=... id=... host=...``, ties provider,
id and expiry to the URL. It counts only while the URL still names that host. Its words ``added=``,
``more=`` and ``variables=`` say what else neonup put there, so that it can be taken out again; the
last one has a checksum of each value, since a line that the user has changed is the user's.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from neonup.database import USER, Database
from neonup.env import dotenv
from neonup.errors import EnvFileError
from neonup.postgres import urls

if TYPE_CHECKING:
    from datetime import datetime

CLAIM_NAMES = ("POSTGRES_CLAIM_URL", "INSTAGRES_CLAIM_URL")
STAYS = "# It stays until: neonup destroy"
_CLAIM_ID = r"/(?:claim|database)/([0-9a-fA-F-]{36})(?:[/?#]|$)"
_CONNECTION = r"postgres(?:ql)?(?:\+\w+)?://"
_LEADS_ELSEWHERE = r"(?:^|(?<=&))(?:host|hostaddr|port|service)=[^&]*"


def keys(file: dotenv.EnvFile) -> list[str]:
    """The variables of a file that hold a database's URL; its direct form is not one of its own."""
    values = {key: value for key, value in file.values().items() if re.match(_CONNECTION, value)}
    others = {name for key in values for name in _direct_names(key)}
    for key in values:
        others |= beside(our_record(comments(file, range(len(file.statements))), key))
    return [key for key in values if key not in others]


def parse(file: dotenv.EnvFile, key: str) -> Database | None:
    """The database that a file records under a key, whoever wrote it."""
    values = file.values()
    url = values.get(key)
    if url is None:
        return None
    statements = file.statements
    indexes = block(file, key)
    lines = [statements[index] for index in indexes]
    texts = comments(file, indexes)
    variables = _commented(texts)
    variables |= {line.key: values[line.key] for line in lines if line.key in values}
    variables |= {name: values[name] for name in _direct_names(key) if name in values}
    database = Database(
        url,
        USER,
        direct_url=next(filter(None, map(variables.get, _direct_names(key))), None),
        key=key,
        source=str(file.path),
    )
    ours = our_record(texts, key)
    if ours and ours.get("host") == place(url):
        expires = ours.get("expires")
        return database.with_(
            provider=ours.get("provider", USER),
            id=ours.get("id"),
            claim_url=_claim_url(variables),
            expires_at=_expiry(expires, file.path) if expires else None,
            stays=any(statements[index].text.strip() == STAYS for index in indexes),
        )
    return database if ours else _written_by_neon_new(database, texts, variables)


def is_written_by_us(file: dotenv.EnvFile, database: Database) -> bool:
    """Whether neonup wrote a database's lines, also those of one that is its owner's: a push's."""
    words = our_record(comments(file, block(file, database.key)), database.key)
    return words.get("host") == place(database.url)


def host(url: str) -> str:
    """The host and port past the pooler."""
    return urls.direct(url).rpartition("@")[2].partition("/")[0].partition("?")[0]


def place(url: str) -> str:
    """What ties a record to its URL: its host, and parameters that lead elsewhere than that."""
    query = url.partition("?")[2]
    parameters = re.findall(_LEADS_ELSEWHERE, query) if query else []
    return host(url) + ("?" + "&".join(parameters) if parameters else "")


def comments(file: dotenv.EnvFile, indexes: Collection[int]) -> list[str]:
    statements = file.statements
    return [statements[i].text.strip() for i in sorted(indexes) if statements[i].key is None]


def block(file: dotenv.EnvFile, key: str) -> list[int]:
    """Where the key's block is: from its last line to the next connection URL of another name.

    An earlier line of that name has no meaning: readers take the last one. It is the user's.
    """
    statements = file.statements
    lines = [index for index, statement in enumerate(statements) if statement.key == key]
    if not lines:
        return []
    own = {f"{key}_DIRECT", f"{key}_UNPOOLED"}
    for end in range(lines[-1] + 1, len(statements)):
        statement = statements[end]
        if statement.key is None:
            own |= beside(our_record([statement.text.strip()], key))
        elif statement.key not in own and re.match(_CONNECTION, statement.value or ""):
            return [*range(lines[-1], end)]
    return [*range(lines[-1], len(statements))]


def beside(words: Mapping[str, str]) -> set[str]:
    """The variables beside the URL that a record says are in its block: plugins', the project's."""
    more = f"{words.get('more', '')},{words.get('variables', '')}".split(",")
    return {name.partition(":")[0] for name in more if name}


def written(file: dotenv.EnvFile, key: str) -> dict[int, str]:
    """The lines of ``[tool.neonup.variables]`` in a key's block that are as neonup wrote them.

    Returns:
        The variables' names, by the indexes of the statements.
    """
    statements, indexes = file.statements, block(file, key)
    marks = our_record(comments(file, indexes), key).get("variables", "").split(",")
    return {
        index: name
        for index in indexes
        if (name := statements[index].key)
        and f"{name}:{checksum(statements[index].value or '')}" in marks
    }


def own_values(file: dotenv.EnvFile, key: str, names: Collection[str]) -> dict[str, str]:
    """What the user has set some of the variables to, in a line of their own, by name."""
    values, statements = file.values(), file.statements
    ours = {(name, statements[index].value) for index, name in written(file, key).items()}
    return {
        name: values[name] for name in names if name in values and (name, values[name]) not in ours
    }


def checksum(value: str) -> str:
    """Tells a changed value from an unchanged one; it guards nothing."""
    return f"{zlib.crc32(value.encode(errors='surrogatepass')):08x}"


def _expiry(text: str, path: Path) -> datetime:
    """When a record says that its database expires."""
    from datetime import datetime  # which many records do without

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


def our_record(comments: list[str], key: str) -> dict[str, str]:
    lead = f"# neonup: {key} "
    for comment in comments:
        if comment.startswith(lead):
            words = (word.partition("=") for word in comment.removeprefix(lead).split())
            return {name: value for name, _, value in words}
    return {}


def _written_by_neon_new(
    database: Database, comments: list[str], block: dict[str, str]
) -> Database:
    claim_url = _claim_url(block)
    match = re.search(_CLAIM_ID, claim_url or "")
    if match is None:
        return database
    expires_at = None
    for comment in comments:
        lead, _, date = comment.partition("expires at: ")
        if date and "DB" in lead:
            from email.utils import parsedate_to_datetime  # only for files of another tool

            try:
                expires_at = parsedate_to_datetime(date)
            except ValueError:
                continue
    return database.with_(
        provider="neon.new", id=match[1], claim_url=claim_url, expires_at=expires_at
    )


def _claim_url(block: Mapping[str, str]) -> str | None:
    return next((block[name] for name in block if name.endswith(CLAIM_NAMES)), None)

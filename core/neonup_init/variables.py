"""Which of the variables that a project reads get which part of its database's address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from neonup_init.evidence import Evidence, FileLine, VariableRead
from neonup_init.names import VariableName, is_for_tests, is_url_of_postgres, understand

DEFAULT_KEY = "DATABASE_URL"
_PREFERRED = (
    DEFAULT_KEY,
    "SQLALCHEMY_DATABASE_URI",
    "SQLALCHEMY_DATABASE_URL",
    "DB_URL",
    "POSTGRES_URL",
)
_FORMS = {
    "postgresql+asyncpg": "{sqlalchemy_asyncpg_url}",
    "postgresql+psycopg": "{sqlalchemy_psycopg_url}",
}
"""Templates of URLs by their schemes."""
_DJANGO = "django.db.backends.postgresql"


@dataclass(frozen=True)
class DatabaseRead:
    """A variable that holds the whole or a part of a database's address.

    Args:
        read: the variable, and where it is read.
        meaning: what its name says.
    """

    read: VariableRead
    meaning: VariableName


@dataclass
class VariableChoice:
    """Which variables are set, and how.

    Attributes:
        key: the variable that holds the URL; None: nothing reads one.
        templates: the others, by name: a template, and where it is read.
        others: variables of other databases, which are left alone.
    """

    key: VariableRead | None = None
    templates: dict[str, tuple[str, FileLine]] = field(default_factory=dict)
    others: list[VariableRead] = field(default_factory=list)

    @property
    def key_name(self) -> str:
        """The key that the settings name, or leave at its default."""
        return self.key.name if self.key is not None else DEFAULT_KEY


def choose(evidence: Evidence) -> VariableChoice:
    """Which of the variables that the code reads are the project's database."""
    reads = list(_database_reads(evidence))
    owner = _main_owner(reads)
    own = [each for each in reads if each.meaning.owner == owner]
    choice = VariableChoice()
    urls = [each for each in own if each.meaning.role == "url"]
    choice.key = _key(urls)
    choice.others = _others(evidence, reads, owner, choice.key)
    has_url = choice.key is not None and (
        choice.key.required or is_url_of_postgres(choice.key.value) or not _is_complete(own)
    )
    for each in urls:
        form = _url_template(each, choice.key, evidence)
        if form is not None:
            choice.templates[each.read.name] = form, each.read.place
    parts = [each for each in own if each.meaning.role != "url"]
    if has_url and not any(each.read.required for each in parts):
        parts = []  # they are what is tried without the URL
    for each in parts:
        role = each.meaning.role
        template: str | None = f"{{{role}}}" if role != "engine" else _engine(each.read, evidence)
        if template:
            choice.templates.setdefault(each.read.name, (template, each.read.place))
    if choice.templates:
        choice.templates |= _selectors(evidence)
    return choice


def _is_complete(own: Sequence[DatabaseRead]) -> bool:
    """Whether the parts lead to a database without any URL."""
    return {"host", "user", "password", "database"} <= {each.meaning.role for each in own}


def _selectors(evidence: Evidence) -> dict[str, tuple[str, FileLine]]:
    """The variables without which the code takes another kind of database."""
    selectors: dict[str, tuple[str, FileLine]] = {}
    for read in evidence.reads:
        chosen = evidence.selectors.get(read.name) or evidence.selectors.get(read.name.upper())
        if chosen is not None and "postg" not in (read.value or ""):
            selectors.setdefault(read.name, (chosen[0], read.place))
    return selectors


def _database_reads(evidence: Evidence) -> Iterable[DatabaseRead]:
    """The variables of databases, each once, as the reading that needs it most has it."""
    reads: dict[str, VariableRead] = {}
    for read in evidence.reads:
        name = _as_written(read.name, evidence)
        before = reads.get(name)
        if before is None or (read.required and not before.required):
            value = read.value or evidence.examples.get(name, ("",))[0]
            reads[name] = VariableRead(name, read.place, read.required, value, read.is_url)
    for name, read in reads.items():
        is_url = read.is_url or is_url_of_postgres(read.value)
        if (meaning := understand(name, is_url=is_url)) is not None and not _is_of_other(
            read, meaning
        ):
            yield DatabaseRead(read, meaning)


def _is_of_other(read: VariableRead, meaning: VariableName) -> bool:
    """Whether a URL's default says that it is no Postgres; SQLite stands in for any database."""
    scheme, separator, _ = (read.value or "").partition("://")
    is_known = scheme.startswith(("postgres", "sqlite")) or scheme in ("psql", "pgsql", "postgis")
    return meaning.role == "url" and bool(separator) and scheme.isascii() and not is_known


def _as_written(name: str, evidence: Evidence) -> str:
    """A name as the example of ``.env`` spells it: pydantic-settings reads either case."""
    if name in evidence.examples:
        return name
    return next((known for known in evidence.examples if known.upper() == name), name)


def _main_owner(reads: Sequence[DatabaseRead]) -> str:
    """Whose variables are the project's own: nobody's in particular, else the most frequent."""
    owners = Counter(each.meaning.owner for each in reads if each.meaning.role != "engine")
    if "" in owners or not owners:
        return ""
    return owners.most_common(1)[0][0]


def _others(
    evidence: Evidence, reads: Sequence[DatabaseRead], owner: str, key: VariableRead | None
) -> list[VariableRead]:
    """The variables of other databases, and of tests; not what is read with the key as default."""
    others = {
        each.read.name: each.read
        for each in reads
        if each.meaning.owner != owner and (key is None or each.read.place != key.place)
    }
    for read in evidence.reads:
        bare = "_".join(word for word in read.name.upper().split("_") if not is_for_tests(word))
        if is_for_tests(read.name) and understand(bare, is_url=read.is_url) is not None:
            others.setdefault(read.name, read)
    return list(others.values())


def _key(urls: Sequence[DatabaseRead]) -> VariableRead | None:
    plain = [each.read for each in urls if not each.meaning.words & {"DIRECT", "UNPOOLED"}]

    def order(read: VariableRead) -> tuple[int, bool]:
        rank = _PREFERRED.index(read.name) if read.name in _PREFERRED else len(_PREFERRED)
        return rank, not read.required

    return min(plain, key=order, default=None)


def _url_template(each: DatabaseRead, key: VariableRead | None, evidence: Evidence) -> str | None:
    """The template of a URL's variable; None: it is the key, or what stands in for the key."""
    read, words = each.read, each.meaning.words
    same = key.name.upper() if key is not None else ""  # a helper of the project's may spell it so
    if key is None or read.name.upper() in (same, f"{same}_DIRECT"):
        return None
    if words & {"DIRECT", "UNPOOLED"}:
        return "{direct_url}"
    form = _FORMS.get((read.value or "").partition("://")[0])
    if form is None and ("ASYNC" in words or _is_asynchronous(read.name, evidence)):
        form = _FORMS["postgresql+asyncpg"]
    return form or ("{url}" if read.required else None)


def _is_asynchronous(name: str, evidence: Evidence) -> bool:
    return any(made.variable == name.upper() and made.asynchronous for made in evidence.engines)


def _engine(read: VariableRead, evidence: Evidence) -> str | None:
    """Django's backend, where the code would take another one without the variable."""
    example = evidence.examples.get(read.name, ("",))[0]
    if "postg" in example:
        return example
    if read.name in evidence.selectors or "postg" in (read.value or ""):
        return None
    is_django = "django" in evidence.imports and read.value is None and read.required
    return _DJANGO if is_django or "django" in (read.value or "") else None

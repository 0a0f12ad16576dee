"""Names of projects. A name is the only record of whose a project is, and of its tier.

    acme/anna%40example.com/free                    anna's project, of the tier free
    acme/anna%40example.com/pro/changing            on its way to the tier pro, and not there yet
    acme/anna%40example.com/pro/suspended
    acme/anna%40example.com/pro/delete@2026-12-24T18:00:00Z

Neon's names need not be unique, may have 256 characters (OpenAPI document,
``ProjectCreateRequest``), and its search finds parts of them: a name is read whole, and belongs to
a user only if the key in it is exactly theirs.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from neonup import SettingsError

LONGEST_KEY = 128
"""Characters of an encoded key; a longer one is hashed. No setting changes it: another figure
would give users other names."""
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_HASH = re.compile(r"~[0-9a-f]{64}")
_DATE = "%Y-%m-%dT%H:%M:%SZ"
_DELETE = "delete@"


class Lifecycle(enum.StrEnum):
    """Whether a project may be used, or waits to be deleted."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETING = "deleting"


@dataclass(frozen=True)
class Label:
    """What a project's name says.

    Args:
        key: the user's key, encoded; see `Naming.key`.
        tier: the name of the tier that it has, or is to have.
        lifecycle: whether it may be used.
        due: when it is to be deleted; only where it waits for that.
        changing: whether its settings may be those of an earlier tier or lifecycle still.
    """

    key: str
    tier: str
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    due: datetime | None = None
    changing: bool = False

    @property
    def user(self) -> str | None:
        """The user's key; None where it is hashed."""
        return None if self.key.startswith("~") else unquote(self.key)

    @property
    def settled(self) -> Label:
        """This label without the ``changing`` marker."""
        return replace(self, changing=False)


@dataclass(frozen=True)
class Naming:
    """How projects are named.

    Args:
        prefix: the fleet's, which keeps it apart from other projects: letters, digits, ``.``,
            ``_`` and ``-``, at most 40.
        hashed: whether names hold a hash of the users' keys instead of the keys, so that the
            console shows no addresses. To be decided before the first user: others are other names.
        secret: goes into the hashes: who does not know it cannot try keys.

    Raises:
        SettingsError: the prefix cannot be used.
    """

    prefix: str
    hashed: bool = False
    secret: str = ""

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise SettingsError(
                f"A fleet's prefix cannot be {self.prefix!r}.",
                remedy="Use letters, digits, '.', '_' and '-', at most 40 characters.",
            )

    def __repr__(self) -> str:
        return f"Naming(prefix={self.prefix!r}, hashed={self.hashed})"

    def key(self, user: str) -> str:
        """A user's key as it is written in names: percent-encoded, or ``~`` and a SHA-256.

        No two keys have the same one: ``~`` and ``/`` are encoded, too.

        Raises:
            SettingsError: the key is empty, or no Unicode text.
        """
        try:
            if not isinstance(user, str) or not user:
                raise ValueError("it must be a string that is not empty")
            plain = _encoded(user)
            if not self.hashed and len(plain) <= LONGEST_KEY:
                return plain
            digest = hmac.new(self.secret.encode(), user.encode(), hashlib.sha256)
        except ValueError as error:
            raise SettingsError(f"A user's key cannot be {user!r}: {error}.") from None
        return f"~{digest.hexdigest()}"

    def search(self, key: str) -> str:
        """A text for Neon's search that finds a user's projects, and perhaps a few others."""
        return f"{self.prefix}/{key}/"

    def name(self, label: Label) -> str:
        """The name of a project with this label."""
        marks = []
        if label.lifecycle is Lifecycle.SUSPENDED:
            marks.append(Lifecycle.SUSPENDED.value)
        elif label.due is not None:
            marks.append(f"{_DELETE}{label.due.astimezone(UTC):{_DATE}}")
        if label.changing:
            marks.append("changing")
        return "/".join((self.prefix, label.key, label.tier, *marks))

    def read(self, name: str) -> Label | None:
        """The label in a name; None if the name is not one of this fleet's."""
        parts = name.split("/")
        if len(parts) < 3 or parts[0] != self.prefix:
            return None
        _, key, tier, *marks = parts
        label = Label(key, tier)
        if marks and marks[-1] == "changing":
            label = replace(label, changing=True)
            marks.pop()
        if marks and marks[0] == Lifecycle.SUSPENDED:
            label = replace(label, lifecycle=Lifecycle.SUSPENDED)
        elif marks and (due := _due(marks[0])):
            label = replace(label, lifecycle=Lifecycle.DELETING, due=due)
        # Only what is written exactly so: whoever renames a project takes it out of the fleet.
        return label if self.name(label) == name and _is_key(key) else None


def _due(mark: str) -> datetime | None:
    try:
        return datetime.strptime(mark, f"{_DELETE}{_DATE}").replace(tzinfo=UTC)
    except ValueError:
        return None


def _is_key(key: str) -> bool:
    if key.startswith("~"):
        return _HASH.fullmatch(key) is not None
    try:
        return key != "" and _encoded(unquote(key, errors="strict")) == key
    except UnicodeDecodeError:
        return False


def _encoded(user: str) -> str:
    return quote(user, safe="@+:").replace("~", "%7E")

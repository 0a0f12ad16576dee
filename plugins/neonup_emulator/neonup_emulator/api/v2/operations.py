"""The operations of the API: each is a function with the id that Neon's document gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound, Refused
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.requests.fields import Moment

Body = TypeVar("Body")
Answer = Any
"""What msgspec writes as JSON; None: the answer has no content, and status 204."""


@dataclass(frozen=True)
class RequestContext:
    """A request to one operation.

    Args:
        neon: which local Neon.
        caller: who asks.
        path: the parameters in the address.
        query: the parameters of the query; of one that is repeated, the last.
        pairs: all parameters of the query, in their order.
        content: the body.
    """

    neon: LocalNeon
    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    content: bytes = b""
    pairs: Sequence[tuple[str, str]] = ()

    def body(self, kind: type[Body]) -> Body:
        """The body, checked; an absent one is an empty object.

        Raises:
            Refused: it is not what the operation takes.
        """
        try:
            return msgspec.json.decode(self.content.strip() or b"{}", type=kind)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise Refused(f"invalid request body: {error}") from None

    def project(self) -> Project:
        """The project that the address names.

        Raises:
            NotFound: the caller has none of that id.
        """
        from neonup_emulator.neon import projects

        return projects.find(self.neon, self.caller, self.path["project_id"])

    def listed(self, name: str) -> list[str]:
        """The values of a parameter that may be repeated, or have several between commas."""
        texts = [text for known, text in self.pairs if known == name]
        return [part.strip() for text in texts for part in text.split(",") if part.strip()]

    def flag(self, name: str) -> bool:
        """A parameter that is true or false; some clients write it as Python does."""
        value = self.query.get(name, "false").lower()
        if value not in ("true", "false", "1", "0"):
            raise Refused(f"invalid parameter {name}: it is true or false")
        return value in ("true", "1")

    def whole(self, name: str, default: int, smallest: int, largest: int) -> int:
        """A parameter that is a whole number.

        Raises:
            Refused: the parameter is not a whole number, or out of range.
        """
        text = self.query.get(name, str(default))
        is_number = text.isascii() and text.isdigit() and len(text) < 10
        if not is_number or not smallest <= int(text) <= largest:
            raise Refused(f"invalid parameter {name}: it is {smallest} to {largest}")
        return int(text)

    def choice(self, name: str, values: Iterable[str], default: str | None = None) -> str:
        """A parameter that is one of some words.

        Args:
            default: what is meant where it is missing; None: it must be given.

        Raises:
            Refused: the parameter is none of these words.
        """
        known = list(values)
        text = self.query.get(name, default)
        if text not in known:
            raise Refused(f"invalid parameter {name}: it is {', '.join(known)}")
        return text

    def moment(self, name: str) -> datetime | None:
        """A moment, in RFC 3339.

        Raises:
            Refused: the parameter is not a timestamp.
        """
        text = self.query.get(name)
        if not text:
            return None
        try:
            moment: datetime = msgspec.convert(text.replace(" ", "+"), Moment, strict=False)
        except msgspec.ValidationError:
            raise Refused(f"invalid parameter {name}: it is like 2026-01-31T12:00:00Z") from None
        return moment

    def text(self, name: str, kind: Any) -> str | None:
        """A parameter of a form, as a type of msgspec's has it; None where it is missing.

        Raises:
            Refused: it does not have that form.
        """
        try:
            text: str | None = msgspec.convert(self.query.get(name), kind | None)
        except msgspec.ValidationError as error:
            raise Refused(f"invalid parameter {name}: {error}") from None
        return text

    def number(self, name: str) -> int:
        """A whole number in the address.

        Raises:
            NotFound: the part of the address is not a number.
        """
        text = self.path[name]
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise NotFound("not found")
        return int(text)


Handler = Callable[[RequestContext], Answer]


@dataclass(frozen=True)
class ApiOperation:
    """An operation that is carried out here.

    Args:
        id: Neon's `operationId`.
        status: of an answer.
    """

    id: str
    method: str
    path: str
    status: int
    handler: Handler


OPERATIONS: list[ApiOperation] = []
"""The modules of this package register theirs."""


def operation(
    id: str,  # noqa: A002
    *addresses: str,
    status: int = 200,
) -> Callable[[Handler], Handler]:
    """Register a function, e.g. ``@operation("getProject", "GET /projects/{project_id}")``.

    Args:
        id: Neon's `operationId`.
        addresses: the document's method and path, and others that clients use for the same.
        status: of an answer.
    """

    def register(handler: Handler) -> Handler:
        for address in addresses:
            method, _, path = address.partition(" ")
            OPERATIONS.append(ApiOperation(id, method, path, status, handler))
        return handler

    return register

"""Neon's API as calls: how a request is built, and how its answer is decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from neonup import ServiceError, SettingsError
from neonup.plugin.http import (
    Call,
    Failure,
    Outcome,
    Policy,
    Request,
    Response,
    Service,
    attempt,
)
from neonup_cloud.api import errors
from neonup_cloud.api.answers import Operations
from neonup_cloud.api.failures import error_of
from neonup_cloud.api.transfer_secrets import NeonRequest

T = TypeVar("T")
U = TypeVar("U")
Values = Mapping[str, object]

SERVICE = Service("Neon", "https://neonstatus.com says how the service is; try again later.")
POLICY = Policy(tries=5, refused=frozenset({423, 429}), failed=False, longest_pause=60)
"""A 5xx may come after the project was created, so it is no permission to create another one."""
PAGE = 400
"""The most projects that Neon answers at once (OpenAPI document, ``listProjects``)."""


Page = tuple[list[T], str | None]
"""Some of a list, and the cursor of what follows."""


class Pages(NamedTuple, Generic[T]):
    """A list that is answered in pages: how the page at a cursor is asked for."""

    page: Callable[[str | None], Call[Page[T]]]


class Api(NamedTuple):
    """Makes calls of one base URL.

    Args:
        base: up to and with ``/api/v2``, without a slash at its end.
        org_id: the organization that is meant where none is named.
    """

    base: str
    org_id: str | None = None

    def send(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        query: Values | None = None,
        body: Values | None = None,
        repeatable: bool | None = None,
        nulls: bool = False,
    ) -> Call[T]:
        """One operation.

        Args:
            method: ``GET``, ``POST`` ...
            path: from the base on; see `path`.
            answer: what the answer is decoded to.
            query: values that are None are left out.
            body: as `query`, at every depth, unless ``nulls``.
            repeatable: whether sending it twice does no harm; as HTTP says of the method if None.
            nulls: whether None in a body is sent, as null.

        Raises:
            NeonError: Neon refused, or did not answer.
        """
        request = self._request(method, path, query, body, repeatable, nulls=nulls)
        outcome = yield from self._outcome(request)
        return _answer(request, outcome, answer)

    def delete(self, path: str) -> Call[Operations]:
        """A deletion. One that was sent again, its first answer being lost, and finds nothing any
        more has succeeded.

        Raises:
            NeonError: as `send`.
        """
        request = self._request("DELETE", path, None, None, None, nulls=False)
        outcome = yield from self._outcome(request)
        reply = outcome.reply
        if outcome.repeated and isinstance(reply, Response) and reply.status == 404:
            return Operations()
        return _answer(request, outcome, Operations)

    def needed_org_id(self, given: str | None) -> str:
        """The organization given, else the client's.

        Raises:
            SettingsError: there is neither.
        """
        org_id = given or self.org_id
        if not org_id:
            raise SettingsError(
                "Neon needs to know which organization is meant.",
                checked=("NEON_ORG_ID",),
                remedy="Give org_id, or set NEON_ORG_ID.",
            )
        return org_id

    def _request(
        self,
        method: str,
        path: str,
        query: Values | None,
        body: Values | None,
        repeatable: bool | None,
        *,
        nulls: bool,
    ) -> Request:
        sent: Any = body
        if body is not None:
            sent = _plain(body) if not nulls else _with_nulls(body)
        url = f"{self.base}{path}{_query(query)}"
        return NeonRequest(
            method, url, sent, method != "POST" if repeatable is None else repeatable
        )

    def _outcome(self, request: Request) -> Call[Outcome]:
        try:
            return (yield from attempt(SERVICE, request, POLICY))
        except ServiceError as error:  # a redirect that is not followed
            raise errors.UnusableAnswer(
                error.message, checked=error.checked, remedy=error.remedy, status=error.status
            ) from None

    def whole(self, path: str, answer: type[T], items: Callable[[T], list[U]]) -> Pages[U]:
        """A list that is answered at once; for the parameters see `pages`."""
        return self.pages(path, answer, items, lambda _: None)

    def pages(
        self,
        path: str,
        answer: type[T],
        items: Callable[[T], list[U]],
        following: Callable[[T], str | None],
        *,
        query: Values | None = None,
    ) -> Pages[U]:
        """A list that is answered in pages.

        Args:
            path: as in `send`.
            answer: what a page is decoded to.
            items: what of it is listed.
            following: its cursor; one that does not move on ends the list, and so does a page
                without items.
            query: as in `send`.
        """

        def page(cursor: str | None) -> Call[Page[U]]:
            decoded = yield from self.send(
                "GET", path, answer, query={**(query or {}), "cursor": cursor}
            )
            listed, after = items(decoded), following(decoded)
            return listed, after if listed and after != cursor else None

        return Pages(page)


def path(template: str, **names: str) -> str:
    """A path with its names filled in, each quoted: ``path("/projects/{id}", id=...)``."""
    for name, value in names.items():
        if not value or value in (".", ".."):
            raise ValueError(f"{name} is {value!r}, which names nothing")
    return template.format(**{name: quote(value, safe="") for name, value in names.items()})


def _answer(request: Request, outcome: Outcome, answer: type[T]) -> T:
    reply = outcome.reply
    if isinstance(reply, Failure) or not 200 <= reply.status < 300:
        raise error_of(SERVICE, request, outcome)
    return _decoded(request, reply, answer)


def _query(query: Values | None) -> str:
    values = {name: _plain(value) for name, value in (query or {}).items() if value is not None}
    for name, value in values.items():
        if isinstance(value, bool):
            values[name] = str(value).lower()
    return f"?{urlencode(values, doseq=True)}" if values else ""


def _given(body: Values) -> dict[str, object]:
    return {name: _plain(value) for name, value in body.items() if value is not None}


def _with_nulls(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _with_nulls(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_with_nulls(item) for item in value]
    return _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time needs a time zone")
        return value.isoformat()
    if isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return _given(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def _decoded(request: Request, reply: Response, answer: type[T]) -> T:
    decoder = _decoders.get(answer)
    if decoder is None:
        decoder = _decoders.setdefault(answer, msgspec.json.Decoder(answer))
    try:
        empty = b"null" if answer is object else b"{}"
        decoded: T = decoder.decode(empty if reply.status == 204 else reply.body)
    except (msgspec.DecodeError, RecursionError) as error:
        remedy = (
            "Was NEON_API_HOST set to something else than Neon's API? "
            "Otherwise a newer neonup may know the new form."
        )
        if not request.repeatable:
            remedy = f"It was probably carried out: look before you try again. {remedy}"
        raise errors.UnusableAnswer(
            f"Neon: the answer cannot be used: {error}.",
            checked=(str(request), f"status {reply.status}, {len(reply.body)} bytes"),
            remedy=remedy,
            status=reply.status,
        ) from None
    return decoded

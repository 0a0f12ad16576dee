"""A visit to a page: what it is about, the connections to that, and how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from urllib.parse import quote, urlencode

from anyio import to_thread
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from neonup_pages import forms, look
from neonup_studio import places
from neonup_studio.places import Place
from neonup_studio.server.connections import Connection
from neonup_studio.studio import MAIN, Studio

TABS = (
    ("tables", "Tables"),
    ("query", "Query"),
    ("picture", "Picture"),
    ("versions", "Versions"),
    ("inspect", "Inspect"),
    ("tests", "Tests"),
)
"""The pages of a database, in their order: the part of the address, and the label."""

Handler = Callable[[Request], Awaitable[Response]]
Pages = list[tuple[str, str, Handler]]
"""Of each page or form: the method of HTTP, the path below the database's, and the handler."""

_templates = cache(partial(look.environment, "neonup_studio"))


class PageRefused(Exception):
    """What was asked for is not done; it is said where the visitor was.

    Args:
        message: why, in whole sentences.
        status: of HTTP.
    """

    def __init__(self, message: str, status: int = 400):
        super().__init__(message)
        self.message = message
        self.status = status


class NoSuchPage(PageRefused):
    """The address leads to nothing.

    Args:
        message: what is not there.
    """

    def __init__(self, message: str = "There is no such page."):
        super().__init__(message, 404)


@dataclass(frozen=True)
class Visit:
    """A request of somebody who was let in.

    Args:
        request: the request.
        studio: the studio.
        place: the database that the page is about.
        fields: of the form that was sent; empty where none was.
    """

    request: Request
    studio: Studio
    place: Place
    fields: FormData

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection in a transaction that only reads, and of which nothing stays."""
        return self.studio.connections.reading(self.place.url, own=self.place.own)

    def connection(self) -> AbstractContextManager[Connection]:
        """A connection in no transaction; whoever writes by it calls `check_writable` before."""
        return self.studio.connections.connected(self.place.url, own=self.place.own)

    def check_writable(self) -> None:
        """Refuse what would change data that must not be changed through this page.

        Raises:
            PageRefused: it must not be.
        """
        if self.place.obstacle is not None:
            raise PageRefused(self.place.obstacle, 403)

    def asked(self, name: str) -> str:
        """A parameter of the address; empty where there is none."""
        return self.request.query_params.get(name, "")

    def text(self, name: str) -> str:
        """A field of the form, without white space around it; empty where it was not sent."""
        return forms.text(self.fields, name)

    def part(self, name: str) -> str:
        """A part of the address, as the route names it."""
        return str(self.request.path_params[name])

    def path(self, *parts: str, **parameters: str) -> str:
        """The address of a page of the same database.

        Args:
            parts: of the path; whatever is in them is escaped.
            parameters: of the address.
        """
        path = "/".join(["", self.place.segment, *(quote(part, safe="") for part in parts)])
        return f"{path}?{urlencode(parameters)}" if parameters else path

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Leave a notice for the page that comes next."""
        forms.tell(self.request, text, wrong=wrong)

    def to(self, *parts: str, **parameters: str) -> Response:
        """To another page of the same database."""
        return RedirectResponse(self.path(*parts, **parameters), 303)

    def show(self, template: str, tab: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page.

        Args:
            template: its name; it extends ``studio.html``, and knows `visit`, `place`, `csrf`.
            tab: the one of `TABS` that the page belongs to.
            status: of HTTP.
            values: what else it knows.
        """
        known = {
            "visit": self,
            "place": self.place,
            "main": MAIN,
            "project": places.title_of(self.studio),
            "tabs": TABS,
            "tab": tab,
            "csrf": forms.csrf_token(self.request),
            "notice": forms.take_notice(self.request),
            "now": self.studio.now(),
        }
        return look.answer(_templates(), template, {**known, **values}, status=status)


def shows(make: Callable[[Visit], Response]) -> Handler:
    """A handler that shows a page; `make` runs in a thread."""

    async def handler(request: Request) -> Response:
        return await to_thread.run_sync(lambda: make(_of(request, FormData())))

    return handler


def does(make: Callable[[Visit], Response]) -> Handler:
    """A handler that carries out a form of one of these pages; `make` runs in a thread."""

    async def handler(request: Request) -> Response:
        fields = await forms.read(request, most=_MOST_FIELDS)
        return await to_thread.run_sync(lambda: make(_of(request, fields)))

    return handler


_MOST_FIELDS = 4_000
"""A table has at most 1,600 columns, and each may have two fields."""


def _of(request: Request, fields: FormData) -> Visit:
    studio: Studio = request.app.state.studio
    place = places.find(studio, request.path_params["place"])
    if place is None:
        raise NoSuchPage("There is no such database here any more.")
    return Visit(request, studio, place, fields)


def message(request: Request, title: str, text: str, *, status: int = 200) -> HTMLResponse:
    """A page with a title and a text, of no database."""
    values = {
        "title": title,
        "text": text,
        "csrf": "",
        "notice": None,
        "now": request.app.state.studio.now(),
    }
    return look.answer(_templates(), "message.html", values, status=status)

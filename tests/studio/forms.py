"""Forms of a page, as a browser without scripts sends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

import httpx

from tests.studio.serving import Visitor


@dataclass
class PageForm:
    """A form: where it leads, and what it sends."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def value(self, name: str) -> str:
        """What a field holds."""
        return dict(self.fields)[name]

    def send(
        self, visitor: Visitor, button: tuple[str, str] | None = None, **changed: str
    ) -> httpx.Response:
        """Send it with other values in some fields, whose names may have ``_`` for ``.``."""
        others = {name.replace("_", "."): value for name, value in changed.items()}
        assert others.keys() <= {name for name, _ in self.fields}, (others, self.fields)
        pairs = [(name, others.get(name, value)) for name, value in self.fields]
        pairs += [button] if button else []
        if self.method == "get":
            return visitor.client.get(self.action, params=urlencode(pairs))
        data: dict[str, list[str]] = {}
        for name, value in pairs:
            lines = value.replace("\r\n", "\n").replace("\n", "\r\n")  # as browsers do
            data.setdefault(name, []).append(lines)
        return visitor.client.post(self.action, data=data)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._select: str | None = None
        self._options: list[tuple[str | None, bool]] = []
        self._textarea: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(PageForm(known["action"], known["method"]))
        elif tag == "input" and "name" in known:
            if known.get("type") in {"checkbox", "radio"} and "checked" not in known:
                return
            self.forms[-1].fields.append((known["name"], known.get("value", "")))
        elif tag == "select":
            self._select, self._options = known["name"], []
        elif tag == "option":
            self._options.append((known.get("value"), "selected" in known))
            self._text = ""
        elif tag == "textarea":
            self._textarea, self._text = known["name"], ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "option":
            value, chosen = self._options[-1]
            self._options[-1] = (self._text if value is None else value, chosen)
        elif tag == "select" and self._select:
            marked = [value for value, chosen in self._options if chosen]
            value = (marked or [self._options[0][0]])[0] or ""
            self.forms[-1].fields.append((self._select, value))
        elif tag == "textarea" and self._textarea:
            self.forms[-1].fields.append((self._textarea, self._text.removeprefix("\n")))
            self._textarea = None


def forms(page: str) -> list[PageForm]:
    """All forms of a page."""
    parser = _Forms()
    parser.feed(page)
    return parser.forms


def form(page: str, end: str) -> PageForm:
    """The form whose address ends so."""
    [found] = [one for one in forms(page) if one.action.endswith(end)]
    return found

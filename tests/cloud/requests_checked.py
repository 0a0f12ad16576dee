"""Every request that neonup sends to Neon's API, checked against Neon's OpenAPI document, and
against Neon's newest client where that knows more.

    with NeonClient(key, base_url=base, transport=CheckedTransport()) as neon: ...

A server that is reached from child processes is checked at its own end: `serving` of
`tests.emulator.serving` refuses to end where a request of neonup's was wrong. Without the document
(it is no part of the repository) nothing is checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import httpx

from docsite import specs
from tests.emulator.document import PATH, Document

API = "/api/v2"


class Requests(Document):
    """What the document says of requests."""

    def wrong(self, method: str, path: str, query: str, body: bytes) -> list[str]:
        """What of a request the document does not allow.

        Args:
            path: below the API's base, e.g. ``/projects``.
            query: as it is sent, without ``?``.
        """
        operation = self._operation(method, path)
        if operation is None:
            if self._is_newer(method, path):
                return []
            return [f"{method} {path}: there is no such operation"]
        found = [*self._wrong_query(operation, query), *self._wrong_body(operation, body)]
        return [f"{method} {path}: {one}" for one in found]

    @cached_property
    def _newer(self) -> specs.Api:
        """What Neon's newest client knows beside the document."""
        return specs.of_sdk(specs.SDK) if specs.SDK.exists() else specs.Api({}, {})

    def _is_newer(self, method: str, path: str) -> bool:
        """Whether an operation came after the document."""
        return any(
            known == method and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path)
            for known, template in self._newer.operations
        )

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        try:
            template = self._template(method, path)
        except LookupError:
            return None
        found: dict[str, Any] = self.content["paths"][template][method.lower()]
        return found

    def _at(self, part: Any) -> Any:
        """What a reference means."""
        while isinstance(part, dict) and "$ref" in part:
            found: Any = self.content
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            part = found
        return part

    def _wrong_query(self, operation: dict[str, Any], query: str) -> Iterator[str]:
        parameters = [self._at(one) for one in operation.get("parameters", [])]
        known = {one["name"]: one for one in parameters if one["in"] == "query"}
        newer = self._newer.names.get(operation["operationId"], set())
        sent: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)):
            sent.setdefault(name, []).append(value)
        for name, values in sent.items():
            if name not in known:
                if name in newer:
                    continue
                yield f"no such parameter: {name}"
                continue
            schema = self._at(known[name]["schema"])
            value = _typed(schema, values)
            yield from (f"parameter {name}: {one}" for one in self.invalid(schema, value))
        for name, parameter in known.items():
            if parameter.get("required") and name not in sent:
                yield f"parameter {name} is missing"

    def _wrong_body(self, operation: dict[str, Any], body: bytes) -> Iterator[str]:
        wanted = self._at(operation.get("requestBody"))
        if wanted is None:
            if body:
                yield "there should be no body"
            return
        if not body:
            if wanted.get("required"):
                yield "the body is missing"
            return
        schema, value = wanted["content"]["application/json"]["schema"], json.loads(body)
        yield from self.invalid(schema, value)
        yield from self._unknown(schema, value, "")

    def _unknown(self, schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
        """Fields that the document does not name: it allows them, but they would do nothing."""
        if isinstance(value, list):
            items = self._at(schema).get("items", {})
            for number, one in enumerate(value):
                yield from self._unknown(items, one, f"{where}/{number}")
        elif isinstance(value, dict):
            known = self._properties(schema)
            for name, one in value.items() if known else ():
                if name in known:
                    yield from self._unknown(known[name], one, f"{where}/{name}")
                else:
                    yield f"no such field: {where}/{name}"

    def _properties(self, schema: dict[str, Any]) -> dict[str, Any]:
        schema = self._at(schema)
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            found |= self._properties(part)
        return {} if schema.get("additionalProperties") else found


def _typed(schema: dict[str, Any], values: list[str]) -> Any:
    """A query parameter's values as what the document calls them."""
    kind = schema.get("type")
    if kind == "array":
        return values
    value = values[0] if len(values) == 1 else values
    if kind == "boolean":
        return {"true": True, "false": False}.get(str(value), value)
    if kind == "integer" and re.fullmatch(r"-?\d+", str(value)):
        return int(str(value))
    return value


REQUESTS = Requests()


def wrong(method: str, url: httpx.URL, body: bytes) -> list[str]:
    """As `Requests.wrong`; of a URL that is none of Neon's API, nothing."""
    path = url.raw_path.decode().partition("?")[0]
    if not PATH.exists() or not path.startswith(f"{API}/"):
        return []
    return REQUESTS.wrong(method, path.removeprefix(API), url.query.decode(), body)


class CheckedTransport(httpx.HTTPTransport):
    """Sends a request only if the document allows it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        found = wrong(request.method, request.url, request.read())
        assert found == [], found
        return super().handle_request(request)


class AsyncCheckedTransport(httpx.AsyncHTTPTransport):
    """The same, awaited."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        found = wrong(request.method, request.url, await request.aread())
        assert found == [], found
        return await super().handle_async_request(request)


class CheckedApp:
    """An ASGI application whose requests by neonup are checked as they come in."""

    def __init__(self, app: Any):
        self._app = app
        self.wrong: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] != "http" or headers.get(b"user-agent") != b"neonup":
            await self._app(scope, receive, send)
            return
        body = bytearray()

        async def reading() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    raw = (scope["raw_path"].split(b"?")[0] + b"?" + scope["query_string"]).decode()
                    url = httpx.URL(f"http://localhost{raw}")
                    self.wrong += wrong(scope["method"], url, bytes(body))
            return message

        await self._app(scope, reading, send)

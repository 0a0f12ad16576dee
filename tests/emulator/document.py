"""Neon's OpenAPI document, which every answer of the local Neon is checked against."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

PATH = Path(__file__).parents[2].parent / "shared" / "specs" / "neon-api-v2.openapi.json"
_BASE = "https://openapi"


class Document:
    """The document, and the operation that a request is."""

    @cached_property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = _without_nullable(json.loads(PATH.read_text(encoding="utf-8")))
        return found

    @cached_property
    def operations(self) -> dict[str, tuple[str, str]]:
        """Method and path of each operation, by its id."""
        return {
            operation["operationId"]: (method.upper(), path)
            for path, methods in self.content["paths"].items()
            for method, operation in methods.items()
            if isinstance(operation, dict) and "operationId" in operation
        }

    def errors(self, method: str, path: str, status: int, answer: Any) -> list[str]:
        """What of an answer the document does not allow.

        Args:
            path: below the API's base, e.g. ``/projects``.
        """
        responses = self.content["paths"][self._template(method, path)][method.lower()]["responses"]
        response = self._resolved(responses.get(str(status)) or responses["default"])
        if not response.get("content"):
            return [] if not answer else ["there should be no content"]
        schema = response["content"]["application/json"]["schema"]
        return [*self.invalid(schema, answer)]

    def invalid(self, schema: dict[str, Any], value: Any) -> Iterator[str]:
        """What of a value a schema of the document does not allow."""
        for error in self._validator(json.dumps(schema)).iter_errors(value):
            yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"

    @cache  # noqa: B019 - there are two documents, and a validator takes longer to make than to use
    def _validator(self, schema: str) -> Draft202012Validator:
        components = self.content["components"]
        whole = {"$id": _BASE, "components": components, "allOf": [json.loads(schema)]}
        return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """The document's paths, those without names first."""
        return [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template)), template)
            for template in sorted(self.content["paths"], key=lambda one: one.count("{"))
        ]

    def _template(self, method: str, path: str) -> str:
        """The path of the document that a request's path is."""
        for pattern, template in self._patterns:
            if pattern.fullmatch(path) and method.lower() in self.content["paths"][template]:
                return template
        raise LookupError(f"{method} {path}")

    def _resolved(self, response: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in response:
            return response
        found: dict[str, Any] = self.content["components"]["responses"][
            response["$ref"].rpartition("/")[2]
        ]
        return found


def _without_nullable(part: Any) -> Any:
    """JSON Schema instead of OpenAPI 3.0's own words."""
    if isinstance(part, list):
        return [_without_nullable(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: _without_nullable(value) for name, value in part.items()}
    if found.pop("nullable", False) is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    return found

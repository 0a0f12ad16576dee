"""Neon's OpenAPI document, which every answer of the local Neon is checked against."""

from __future__ import annotations

import json
import re
from functools import cached_property
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
        responses = self._responses(method, path)
        response = responses.get(str(status)) or responses["default"]
        if not response.get("content"):
            return [] if not answer else ["there should be no content"]
        schema = response["content"]["application/json"]["schema"]
        whole = {"$id": _BASE, "components": self.content["components"], **_absolute(schema)}
        validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
        return [
            f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validator.iter_errors(answer)
        ]

    def _responses(self, method: str, path: str) -> dict[str, Any]:
        paths = self.content["paths"]
        for template in sorted(paths, key=lambda one: one.count("{")):
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in paths[template]:
                found = paths[template][method.lower()]["responses"]
                return {status: self._resolved(one) for status, one in found.items()}
        raise LookupError(f"{method} {path}")

    def _resolved(self, response: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in response:
            return response
        found: dict[str, Any] = self.content["components"]["responses"][
            response["$ref"].rpartition("/")[2]
        ]
        return found


def _absolute(schema: dict[str, Any]) -> dict[str, Any]:
    return schema if "$ref" not in schema else {"allOf": [schema]}


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

"""Neon's OpenAPI document: requests are checked against it, and the local Neon's answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
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
        responses = self._operation(method, path)[1]["responses"]
        response = self._resolved(responses.get(str(status)) or responses["default"])
        if not response.get("content"):
            return [] if not answer else ["there should be no content"]
        return self._against(response["content"]["application/json"]["schema"], answer)

    def request_errors(
        self, method: str, path: str, query: Mapping[str, str], body: Any
    ) -> list[str]:
        """What of a request the document does not allow.

        Args:
            path: below the API's base, e.g. ``/projects``.
            query: as it was sent.
            body: as it was sent, decoded; None where there was none.

        Raises:
            LookupError: there is no such operation.
        """
        whole, operation = self._operation(method, path)
        listed = [*whole.get("parameters", ()), *operation.get("parameters", ())]
        known = {one["name"]: one for one in map(self._resolved, listed) if one["in"] == "query"}
        found = [f"there is no parameter {name}" for name in query if name not in known]
        for name, parameter in known.items():
            if name in query:
                schema = parameter["schema"]
                value = _plain(query[name], self._resolved(schema))
                found += [f"{name}: {error}" for error in self._against(schema, value)]
            elif parameter.get("required"):
                found.append(f"the parameter {name} is missing")
        allowed = self._resolved(operation.get("requestBody", {}))
        if body is None:
            return [*found, "the body is missing"] if allowed.get("required") else found
        if not allowed:
            return [*found, "there should be no body"]
        return found + self._against(allowed["content"]["application/json"]["schema"], body)

    def _against(self, schema: dict[str, Any], value: Any) -> list[str]:
        whole = {"$id": _BASE, "components": self.content["components"], **_absolute(schema)}
        validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
        return [
            f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validator.iter_errors(value)
        ]

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the document has at a path, and of that the operation."""
        paths = self.content["paths"]
        for template in sorted(paths, key=lambda one: one.count("{")):
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in paths[template]:
                return paths[template], paths[template][method.lower()]
        raise LookupError(f"{method} {path}")

    def _resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in part:
            return part
        kind, name = part["$ref"].split("/")[-2:]
        found: dict[str, Any] = self.content["components"][kind][name]
        return found


def _plain(text: str, schema: dict[str, Any]) -> Any:
    """A parameter's value as its schema means it."""
    kind = schema.get("type")
    if kind in ("integer", "number", "boolean"):
        return json.loads(text)
    return text.split(",") if kind == "array" else text


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

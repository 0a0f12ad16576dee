"""What Neon's OpenAPI document says of an operation, and its schemas as msgspec's structs."""

from __future__ import annotations

import json
import keyword
import re
from dataclasses import dataclass, field
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


class UnknownOperation(ValueError):
    """The document has no operation of that id, or it is carried out already."""


def snake(name: str) -> str:
    """For example ``get_project_jwks`` of ``getProjectJWKS``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


@dataclass
class Types:
    """The structs that the schemas of an operation need.

    Args:
        document: of OpenAPI.
        structs: the source of each, by name, those that others need first.
    """

    document: dict[str, Any]
    structs: dict[str, str] = field(default_factory=dict)

    def of(self, schema: dict[str, Any], name: str) -> str:
        """The type of a value; a struct is added for an object.

        Args:
            name: of the struct where the schema has none of its own.
        """
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            name = name[0].upper() + re.sub(r"\W", "", name[1:])
            schema = self.resolved(schema)
        if schema.get("nullable"):
            return f"{self.of({**schema, 'nullable': False}, name)} | None"
        if schema.get("enum") and all(isinstance(value, str) for value in schema["enum"]):
            return f"Literal[{', '.join(json.dumps(value) for value in schema['enum'])}]"
        if schema.get("type") == "array":
            return f"list[{self.of(schema.get('items', {}), f'{name}Item')}]"
        properties, required = self.fields(schema)
        if properties:
            return self._struct(name, properties, required)
        if schema.get("format") == "date-time":
            return "datetime"
        return _SCALARS.get(schema.get("type", ""), "Any")

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What a reference leads to."""
        while "$ref" in schema:
            found: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def fields(self, schema: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """The properties of a schema and of its parts, and the names that it requires."""
        schema = self.resolved(schema)
        properties, required = dict(schema.get("properties", {})), set(schema.get("required", ()))
        for part in schema.get("allOf", ()):
            more, needed = self.fields(part)
            properties |= more
            required |= needed
        return properties, required

    def _struct(self, name: str, properties: dict[str, Any], required: set[str]) -> str:
        if name in self.structs:
            return name
        self.structs[name] = ""  # a schema may contain itself
        lines = []
        for known, schema in sorted(properties.items(), key=lambda item: item[0] not in required):
            kind = self.of(schema, f"{name}{known.title().replace('_', '')}")
            usable = known.isidentifier() and not keyword.iskeyword(known)
            attribute = known if usable else re.sub(r"\W", "_", known) + "_"
            default = "" if known in required else " = UNSET"
            kind = kind if known in required else f"{kind} | UnsetType"
            if not usable:
                given = "" if known in required else "default=UNSET, "
                default = f" = field({given}name={json.dumps(known)})"
            lines.append(f"    {attribute}: {kind}{default}")
        text = f'class {name}(Struct, kw_only=True):\n    """`{name}` of Neon\'s document."""\n\n'
        self.structs.pop(name)
        self.structs[name] = text + "\n".join(lines) + "\n"
        return name


@dataclass(frozen=True)
class Described:
    """An operation as the document has it."""

    id: str
    method: str
    path: str
    content: dict[str, Any]
    status: int
    summary: str

    @property
    def parameters(self) -> list[str]:
        """Those in the path."""
        return re.findall(r"{(\w+)}", self.path)


def described(document: dict[str, Any], operation_id: str) -> Described:
    """An operation of the document.

    Raises:
        UnknownOperation: there is none of that id.
    """
    for path, methods in document["paths"].items():
        for method in METHODS:
            content = methods.get(method, {})
            if content.get("operationId") == operation_id:
                good = [int(code) for code in content["responses"] if code.startswith("2")]
                summary = " ".join(content.get("summary", operation_id).split()).rstrip(".")
                status = min(good, default=200)
                return Described(operation_id, method.upper(), path, content, status, summary)
    raise UnknownOperation(f"Neon's document has no operation {operation_id}")


def schema_of(of: Types, holder: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of a request's body, or of an answer; None: there is none, or it is not JSON."""
    content = of.resolved(holder).get("content", {}).get("application/json", {})
    found: dict[str, Any] | None = content.get("schema")
    return found


def query_parameters(of: Types, operation: Described) -> list[tuple[str, str]]:
    """The names and types of what stands in the query."""
    known = [of.resolved(one) for one in operation.content.get("parameters", ())]
    return [
        (one["name"], of.of(one.get("schema", {}), one["name"].title()))
        for one in known
        if one["in"] == "query"
    ]

"""What Neon's API has that the OpenAPI document at hand has not: ``make specs``.

The newest list of Neon's operations travels in npm's package ``@neon/sdk``, as TypeScript made from
a newer document: ``dist/client/sdk.gen.js`` has methods and addresses, ``types.gen.d.ts`` fields
and query parameters. Printed is what is new there, and what the local Neon does with each new
operation. It fails where an operation is neither carried out nor among those that answer 501
(``not_here.py``).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docsite.openapi import METHODS, Types
from docsite.operation import ROOT

SDK = ROOT / "tests/clients/node_modules/@neon/sdk"
_OPERATION = re.compile(
    r"^const (\w+) = \(options\) => \(options\??\.client \?\? client\)\.(\w+)\(\{.*?"
    r'^\turl: "([^"]+)"',
    re.M | re.S,
)
_OBJECT = re.compile(r"^export type (\w+) = [^;\n]*\{\n(.*?)^\}", re.M | re.S)
_QUERY = re.compile(r"^    query\??: \{(.*?)^    \}", re.M | re.S)

Address = tuple[str, str]
"""Method and path, e.g. ``("GET", "/projects")``."""


@dataclass(frozen=True)
class Api:
    """What is compared of two descriptions of Neon's API, which spell some names differently:
    ``getProjectJWKS`` is ``getProjectJwks`` in the SDK.

    Args:
        operations: ids by address.
        names: the fields of each schema, and the query parameters of each operation.
    """

    operations: dict[Address, str]
    names: dict[str, set[str]]


def of_document(content: dict[str, Any]) -> Api:
    """What an OpenAPI document describes."""
    types = Types(content)
    operations: dict[Address, str] = {}
    names = {
        name: set(types.fields(schema)[0])
        for name, schema in content.get("components", {}).get("schemas", {}).items()
    }
    for path, item in content["paths"].items():
        for method in METHODS:
            if (operation := item.get(method)) is None:
                continue
            operations[method.upper(), path] = operation["operationId"]
            given = [*item.get("parameters", ()), *operation.get("parameters", ())]
            parameters = [types.resolved(parameter) for parameter in given]
            names[operation["operationId"]] = {
                parameter["name"] for parameter in parameters if parameter["in"] == "query"
            }
    return Api(operations, names)


def of_sdk(folder: Path) -> Api:
    """What the package ``@neon/sdk`` describes.

    Args:
        folder: of the package.

    Raises:
        OSError: it is not installed.
    """
    source = (folder / "dist/client/sdk.gen.js").read_text(encoding="utf-8")
    types = (folder / "dist/client/types.gen.d.ts").read_text(encoding="utf-8")
    operations = {(method.upper(), path): name for name, method, path in _OPERATION.findall(source)}
    objects = dict(_OBJECT.findall(types))
    names = {name: _members(body, 1) for name, body in objects.items()}
    for name in operations.values():
        query = _QUERY.search(objects.get(f"{name[0].upper()}{name[1:]}Data", ""))
        names[name] = _members(query[1], 2) if query else set()
    return Api(operations, names)


def _members(body: str, depth: int) -> set[str]:
    """The members of an object of TypeScript, which is indented by four spaces a level."""
    return set(re.findall(rf"^ {{{4 * depth}}}(\w+)\??:", body, re.M))


def new_names(old: Api, new: Api) -> Iterator[str]:
    """The fields and query parameters that only the newer description has, of what both have."""
    olds = {name.lower(): members for name, members in old.names.items()}
    for name, members in sorted(new.names.items()):
        for added in sorted(members - olds.get(name.lower(), members)):
            yield f"{name}.{added}"


def _local_neon() -> tuple[set[Address], set[Address]]:
    """The operations that the local Neon carries out, and those that answer 501."""
    from neonup_emulator.api.v2.not_here import NOT_HERE
    from neonup_emulator.api.v2.operations import OPERATIONS
    from neonup_emulator.api.v2.routes import routes

    routes()  # importing them registers the operations
    absent = [address.partition(" ") for address in NOT_HERE.values()]
    here = {(operation.method, operation.path) for operation in OPERATIONS}
    return here, {(method, path) for method, _, path in absent}


def report(old: Api, new: Api) -> bool:
    """Print what is new.

    Returns:
        Whether the local Neon knows all operations.
    """
    here, absent = _local_neon()
    added = new.operations.keys() - old.operations.keys()
    unknown = new.operations.keys() - here - absent
    counts = f"{len(new.operations)} operations, {len(old.operations)} in the document"
    print(f"{counts}; {len(added)} new")
    for address in sorted(added | unknown, key=lambda address: address[::-1]):
        does = "carried out" if address in here else "501" if address in absent else "UNKNOWN"
        print(f"{does:12}{new.operations[address]}: {' '.join(address)}")
    for address in sorted(old.operations.keys() - new.operations.keys()):
        print(f"{'gone':12}{old.operations[address]}: {' '.join(address)}")
    for name in new_names(old, new):
        print(f"{'new name':12}{name}")
    return not unknown


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--document", type=Path, required=True, help="Neon's OpenAPI document")
    parser.add_argument("--sdk", type=Path, default=SDK, help="the folder of npm's @neon/sdk")
    arguments = parser.parse_args()
    try:
        old = of_document(json.loads(arguments.document.read_text(encoding="utf-8")))
        new = of_sdk(arguments.sdk)
    except OSError as error:
        parser.exit(1, f"{error}\n`make install` brings the SDK; DOCUMENT= names the document.\n")
    if not report(old, new):
        sys.exit("The local Neon does not know what is UNKNOWN: add it to not_here.py.")


if __name__ == "__main__":
    main()

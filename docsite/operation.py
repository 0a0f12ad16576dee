"""Begin a new operation of Neon's API: ``make operation ID=getProjectJWKS``.

Writes what Neon's OpenAPI document says of it (method, path, parameters, the types of the request
and of the answer) as a module of the client and one of the local Neon, where it answers 501 until a
person has written what it does. Each place that needs a person has the mark ``SCAFFOLD``.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from docsite.openapi import (
    Described,
    Types,
    UnknownOperation,
    described,
    query_parameters,
    schema_of,
    snake,
)

ROOT = Path(__file__).parents[1]
CLIENT = "plugins/neonup_cloud/neonup_cloud/api/groups"
EMULATOR = "plugins/neonup_emulator/neonup_emulator/api/v2"
_HEAD = '"""{doc}"""\n\nfrom __future__ import annotations\n\n'


def _imports(source: str) -> str:
    """The imports of what a source uses of the standard library and msgspec."""
    used = {
        "from datetime import datetime": ["datetime"],
        "from typing import {}": ["Any", "Generic", "Literal"],
        "from msgspec import {}": ["UNSET", "Struct", "UnsetType", "field"],
    }
    lines = []
    for line, names in used.items():
        present = [name for name in names if re.search(rf"\b{name}\b(?!:)", source)]
        if present:
            lines.append(line.format(", ".join(present)))
            lines += [""] if line.startswith("from typing") else []
    return "\n".join(lines).strip() + "\n\n"


def emulator_module(document: dict[str, Any], operation: Described) -> str:
    """The module of the local Neon: the types of the request, and a function that says 501."""
    types = Types(document)
    body = schema_of(types, operation.content.get("requestBody", {}))
    taken = types.of(body, f"{operation.id[0].upper()}{operation.id[1:]}Request") if body else None
    queries = "".join(
        f"    # SCAFFOLD: query {name}: {kind}\n"
        for name, kind in query_parameters(types, operation)
    )
    read = f"    context.body({taken})\n" if taken in types.structs else ""
    function = (
        f'@operation("{operation.id}", "{operation.method} {operation.path}"'
        f"{f', status={operation.status}' if operation.status != 200 else ''})\n"
        f"def {snake(operation.id)}(context: RequestContext) -> Answer:\n"
        f'    """{operation.summary}."""\n{read}{queries}'
        "    # SCAFFOLD: do it, and return what the document says; then this line goes.\n"
        f'    raise NotHere("{operation.id} is not part of this local Neon")\n'
    )
    source = "\n\n".join([*types.structs.values(), function])
    ours = (
        "from neonup_emulator.api.v2.operations import Answer, RequestContext, operation\n"
        "from neonup_emulator.neon.errors import NotHere\n\n\n"
    )
    return _HEAD.format(doc=f"{operation.summary}.") + _imports(source) + ours + source


def client_module(document: dict[str, Any], operation: Described) -> str:
    """The module of the client: the type of the answer, and a method of a group."""
    types = Types(document)
    answers = operation.content["responses"].get(str(operation.status), {})
    schema = schema_of(types, answers)
    answer = (
        types.of(schema, f"{operation.id[0].upper()}{operation.id[1:]}Answer") if schema else "None"
    )
    body = schema_of(types, operation.content.get("requestBody", {}))
    queries = query_parameters(types, operation)
    arguments = [f"{name}: str" for name in operation.parameters]
    keywords = [f"{snake(name)}: {kind} | None = None" for name, kind in queries]
    keywords += ["body: dict[str, Any]"] if body else []
    signature = ", ".join(["self", *arguments, *(["*", *keywords] if keywords else [])])
    address = f'path("{operation.path}"{"".join(f", {one}={one}" for one in operation.parameters)})'
    sent = [f'"{operation.method}"', address, answer if schema else "type(None)"]
    sent += ["body=body"] if body else []
    query = ", ".join(f'"{name}": {snake(name)}' for name, _ in queries)
    sent += [f"query={{{query}}}"] if queries else []
    group = (
        f"class {operation.id[0].upper()}{operation.id[1:]}Group(ApiGroup[S], Generic[S]):\n"
        f'    """SCAFFOLD: move the method to the group where it belongs."""\n\n'
        f"    @operation\n    def {snake(operation.id)}({signature}) -> Call[{answer}]:\n"
        f'        """{operation.summary}."""\n'
        f"        return (yield from self.api.send({', '.join(sent)}))\n"
    )
    source = "\n\n".join([*types.structs.values(), group])
    ours = (
        "from neonup.plugin.http import Call\n"
        "from neonup_cloud.api.groups.group import ApiGroup, S, operation\n"
        "from neonup_cloud.api.requests import path\n\n\n"
    )
    return _HEAD.format(doc=f"{operation.summary}.") + _imports(source) + ours + source


def _insert(path: Path, line: str, pattern: str) -> None:
    """Add a line to a sorted list of lines, the one that a pattern of its whole text matches."""
    text = path.read_text(encoding="utf-8")
    found = re.search(pattern, text, re.DOTALL)
    if found is None:
        raise UnknownOperation(f"{path} has no place for {line.strip()}")
    lines = sorted([*found[1].splitlines(), line])
    path.write_text(text[: found.start(1)] + "\n".join(lines) + "\n" + text[found.end(1) :])


def begin(root: Path, document: dict[str, Any], operation_id: str) -> list[Path]:
    """Write the two modules, and register the operation in the local Neon.

    Args:
        root: of the repository.
        document: Neon's, of OpenAPI.
        operation_id: one that answers 501 today.

    Returns:
        The files that were written or changed.

    Raises:
        UnknownOperation: the document has none of that id, or it is carried out already.
    """
    operation = described(document, operation_id)
    name = snake(operation_id)
    absent = root / EMULATOR / "not_here.py"
    listed = absent.read_text(encoding="utf-8")
    entry = re.search(rf'    "{operation_id}": "[^"]+",\n', listed)
    if entry is None:
        raise UnknownOperation(f"{operation_id} is not among those that answer 501: {absent}")
    modules = {
        root / EMULATOR / f"{name}.py": emulator_module(document, operation),
        root / CLIENT / f"{name}.py": client_module(document, operation),
    }
    for path, source in modules.items():
        path.write_text(source, encoding="utf-8")
    absent.write_text(listed.replace(entry[0], ""), encoding="utf-8")
    routes, scopes = root / EMULATOR / "routes.py", root / EMULATOR / "scopes.py"
    _insert(routes, f"    {name},", r"they register\n(.*?\n)\)")
    verb = "read" if operation.method == "GET" else "update"
    kind = "_PROJECTS" if operation.path.startswith("/projects") else "_ORGS"
    text = scopes.read_text(encoding="utf-8")
    row = re.compile(rf'(\(f"\{{{kind}\}}{verb}",\): (?:"""\n        |"))')
    scopes.write_text(row.sub(rf"\g<1>{operation_id} ", text, count=1), encoding="utf-8")
    _format(root, list(modules))
    return [*modules, absent, routes, scopes]


def _format(root: Path, paths: list[Path]) -> None:
    """Put the style of new modules right, as ``make format`` does."""
    names = [str(path.relative_to(root)) for path in paths]
    for command in (["check", "--fix-only"], ["format"]):
        subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--quiet", *names], cwd=root, check=True
        )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("id", help="Neon's operationId")
    parser.add_argument("--document", type=Path, required=True, help="Neon's OpenAPI document")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the repository")
    arguments = parser.parse_args()
    try:
        document = json.loads(arguments.document.read_text(encoding="utf-8"))
        written = begin(arguments.root, document, arguments.id)
    except (UnknownOperation, OSError) as error:
        parser.exit(1, f"{error}\n")
    for path in written:
        print(path)


if __name__ == "__main__":
    main()

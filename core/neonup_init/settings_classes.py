"""The variables of classes of pydantic-settings: prefixes, aliases, nested models, env files.

https://docs.pydantic.dev/latest/concepts/pydantic_settings/
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neonup_init import static_values
from neonup_init.evidence import EnvFileRead, Evidence, FileLine, StrictSettings, VariableRead
from neonup_init.names import is_url_of_postgres
from neonup_init.static_values import dotted, text

_ALIASES = ("validation_alias", "alias", "env")
_DSN = ("PostgresDsn", "PostgresUrl")


@dataclass(frozen=True)
class ModelClass:
    """A class that may be one of pydantic's.

    Args:
        node: its syntax tree.
        file: its file.
        name: the file from the project's folder.
        names: what the module's names are.
        bases: its bases' names.
    """

    node: ast.ClassDef
    file: Path
    name: str
    names: Mapping[str, ast.expr] = field(default_factory=dict)
    bases: tuple[str, ...] = ()


def classes(
    tree: ast.Module, file: Path, name: str, names: Mapping[str, ast.expr]
) -> Iterator[tuple[str, ModelClass]]:
    """The classes of a module, by name; the arguments are those of `python_code.read`."""
    for node in static_values.statements(tree.body):
        if isinstance(node, ast.ClassDef):
            bases = tuple(dotted(base).rpartition(".")[2] for base in node.bases)
            yield node.name, ModelClass(node, file, name, names, bases)


def read(known: Mapping[str, ModelClass], evidence: Evidence) -> None:
    """Add what all classes of settings read to the evidence.

    Args:
        known: the classes of a project, by name.
        evidence: what is added to.
    """
    bases = {base for model in known.values() for base in model.bases}
    for name, model in known.items():
        if _is_settings(name, known):
            _read_class(name, model, known, evidence, is_base=name in bases)


def _is_settings(name: str, known: Mapping[str, ModelClass], depth: int = 0) -> bool:
    if name not in known or depth > 10:
        return False
    bases = known[name].bases
    return any(base == "BaseSettings" or _is_settings(base, known, depth + 1) for base in bases)


def _read_class(
    name: str,
    model: ModelClass,
    known: Mapping[str, ModelClass],
    evidence: Evidence,
    *,
    is_base: bool,
) -> None:
    config = _config(name, known)
    prefix = text(config.get("env_prefix")) or ""
    delimiter = text(config.get("env_nested_delimiter"))
    reads = list(_fields(name, known, prefix, delimiter))
    evidence.reads += reads
    evidence.validated |= {f"{prefix}{field}".upper() for field in _validated(model.node)}
    place = FileLine(model.name, model.node.lineno)
    env_file = config.get("env_file")
    if env_file is None or (isinstance(env_file, ast.Constant) and env_file.value is None):
        return
    paths = list(_paths(env_file, model))
    where = FileLine(model.name, env_file.lineno)
    if paths:
        evidence.env_files.append(EnvFileRead(paths[0], where))
    else:
        evidence.computed_env_files.append(where)
    extra = config.get("extra")
    allowed = text(extra) or dotted(extra).rpartition(".")[2] if extra is not None else "forbid"
    if (
        allowed == "forbid" and not prefix and not is_base
    ):  # with a prefix only lines that begin with it count
        fields = frozenset(read.name.upper() for read in reads)
        evidence.strict.append(StrictSettings(name, place, fields))


def _validated(node: ast.ClassDef) -> Iterator[str]:
    """The fields that validators of a class name."""
    for method in node.body:
        decorators = method.decorator_list if isinstance(method, ast.FunctionDef) else []
        for call in decorators:
            if isinstance(call, ast.Call) and dotted(call.func).endswith("validator"):
                yield from filter(None, map(text, call.args))


def _paths(node: ast.expr, model: ModelClass) -> Iterator[Path]:
    """The env files that a setting names, ``.env`` first, then those that win over others."""
    nodes = list(reversed(node.elts)) if isinstance(node, ast.Tuple | ast.List) else [node]
    paths = [static_values.path(part, model.file, model.names) for part in nodes]
    whole = [Path(path) for path in paths if path]
    yield from sorted(whole, key=lambda path: path.name != ".env")


def _config(name: str, known: Mapping[str, ModelClass], depth: int = 0) -> dict[str, ast.expr]:
    """``model_config`` and ``class Config`` of a class and its bases."""
    if name not in known or depth > 10:
        return {}
    config: dict[str, ast.expr] = {}
    for base in reversed(known[name].bases):
        config |= _config(base, known, depth + 1)
    for keyword in known[name].node.keywords:
        config |= {keyword.arg: keyword.value} if keyword.arg else {}
    for node in known[name].node.body:
        if isinstance(node, ast.ClassDef) and node.name == "Config":
            config |= _assignments(node)
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "model_config" for target in targets):
            config |= _pairs(value)
    return config


def _assignments(node: ast.ClassDef) -> dict[str, ast.expr]:
    return {
        target.id: statement.value
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _pairs(node: ast.expr | None) -> dict[str, ast.expr]:
    """The arguments of ``SettingsConfigDict(...)``, or the items of a dictionary."""
    if isinstance(node, ast.Call):
        return {word.arg: word.value for word in node.keywords if word.arg}
    if isinstance(node, ast.Dict):
        keys = [text(key) for key in node.keys]
        return {key: value for key, value in zip(keys, node.values, strict=True) if key}
    return {}


def _fields(
    name: str, known: Mapping[str, ModelClass], prefix: str, delimiter: str | None, depth: int = 0
) -> Iterator[VariableRead]:
    if name not in known or depth > 10:
        return
    model = known[name]
    for base in model.bases:
        yield from _fields(base, known, prefix, delimiter, depth + 1)
    for node in model.node.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        annotation = ast.unparse(node.annotation)
        if node.target.id == "model_config" or "ClassVar" in annotation:
            continue
        inner = annotation.strip("'\"").partition(" |")[0]
        if inner in known and delimiter:
            below = f"{prefix}{node.target.id.upper()}{delimiter}"
            yield from _fields(inner, known, below, delimiter, depth + 1)
            continue
        place = FileLine(model.name, node.lineno)
        required, value = _default(node.value)
        is_url = any(word in annotation for word in _DSN) or is_url_of_postgres(value)
        names = _aliases(node.value) or [f"{prefix}{node.target.id}".upper()]
        yield VariableRead(names[0], place, required, value, is_url)


def _default(node: ast.expr | None) -> tuple[bool, str | None]:
    """Whether a field must be given, and its default where that is a string."""
    if node is None:
        return True, None
    if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "Field":
        words = {word.arg: word.value for word in node.keywords}
        first = node.args[0] if node.args else words.get("default")
        if first is None:
            return "default_factory" not in words, None
        return _default(first)
    is_ellipsis = isinstance(node, ast.Constant) and node.value is ...
    return is_ellipsis, text(node)


def _aliases(node: ast.expr | None) -> list[str]:
    """The names that a field is read from instead of its own."""
    if not isinstance(node, ast.Call) or dotted(node.func).rpartition(".")[2] != "Field":
        return []
    words = {word.arg: word.value for word in node.keywords}
    given = next((words[name] for name in _ALIASES if name in words), None)
    if isinstance(given, ast.Call):
        nodes = given.args
    elif isinstance(given, ast.List | ast.Tuple):
        nodes = given.elts
    else:
        nodes = [given] if given is not None else []
    return [name for name in map(text, nodes) if name]

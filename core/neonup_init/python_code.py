"""What Python code reads of its environment; its syntax tree is looked at, and nothing is run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from neonup_init import static_values
from neonup_init.evidence import EngineMade, EnvFileRead, Evidence, FileLine, VariableRead
from neonup_init.static_values import dotted, statements, text

_MAPPINGS = frozenset({"os.environ", "environ", "_os.environ"})
_GETTERS = frozenset({"os.environ.get", "environ.get", "os.getenv", "getenv"})
_READERS = re.compile(
    r"(?:\w*env\w*|config|decouple\.config|get_secret|get_setting)", re.IGNORECASE
)
_NO_READERS = re.compile(
    r"(?:read_env|load_dotenv|find_dotenv|setenv|delenv|from_envvar|prefixed|Env)"
)
_URL_METHODS = frozenset({"db", "db_url", "dj_db_url"})
_DEFAULT_KEY = "DATABASE_URL"
_DIALECTS = {"pgvector": "vector", "geoalchemy2": "postgis"}
"""Packages that need an extension on the server."""


def parse(code: bytes) -> ast.Module | None:
    """The syntax tree; None: it is not valid Python, a template for example."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the project's escapes
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def read(
    tree: ast.Module, file: Path, name: str, names: Mapping[str, ast.expr], evidence: Evidence
) -> None:
    """Add what a module reads to the evidence.

    Args:
        tree: the module.
        file: its path.
        name: the same from the project's folder, for people.
        names: as `assigned` has them.
        evidence: what is added to.
    """
    _Reader(file, name, names, evidence).visit(tree)


def assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """What the module's names are; one that is assigned more than once is unknown."""
    values: dict[str, ast.expr] = {}
    changed: set[str] = set()
    for node in statements(tree.body):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                if target.id in values:
                    changed.add(target.id)
                values[target.id] = value
    return {name: value for name, value in values.items() if name not in changed}


def variable_of(node: ast.expr) -> tuple[str, bool, str | None] | None:
    """The variable that an expression reads, whether it must be there, and its default."""
    if isinstance(node, ast.Subscript) and dotted(node.value) in _MAPPINGS:
        name = text(node.slice)
        return (name, True, None) if name else None
    if not isinstance(node, ast.Call):
        return None
    function = dotted(node.func)
    last = function.rpartition(".")[2]
    default = _default(node)
    if function == "dj_database_url.config":
        key = next((text(word.value) for word in node.keywords if word.arg == "env"), None)
        return key or _DEFAULT_KEY, default is None, text(default)
    name = text(node.args[0]) if node.args else None
    if function in _GETTERS:
        return (name, False, text(default)) if name else None
    if not _is_reader(function):
        return None
    if not node.args and last in _URL_METHODS and "." in function:
        return _DEFAULT_KEY, default is None, text(default)
    if name is None or not re.fullmatch(r"[A-Za-z_]\w*", name):
        return None
    return name, default is None, text(default)


def _is_reader(function: str) -> bool:
    first, _, _ = function.partition(".")
    last = function.rpartition(".")[2]
    if _NO_READERS.fullmatch(last) or function in ("app.config", "self.config"):
        return False
    return bool(_READERS.fullmatch(function) or _READERS.fullmatch(last) or "env" in first.lower())


def _default(call: ast.Call) -> ast.expr | None:
    if len(call.args) > 1:
        return call.args[1]
    return next((word.value for word in call.keywords if word.arg == "default"), None)


class _Reader(ast.NodeVisitor):
    """Goes through one module."""

    def __init__(
        self, file: Path, name: str, names: Mapping[str, ast.expr], evidence: Evidence
    ) -> None:
        self.file = file
        self.name = name
        self.evidence = evidence
        self.names = names
        self.prefix = ""
        self.switches: list[str] = []
        self.instead = False
        """Whether what is read stands in for the URL: in the ``else`` of ``if DATABASE_URL:``."""

    def place(self, node: ast.expr | ast.stmt) -> FileLine:
        return FileLine(self.name, node.lineno)

    # What is read

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Load):
            self._note_read(node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = dotted(node.func)
        last = function.rpartition(".")[2]
        if not self._note_read(node):
            self._note_env_file(node, function, last)
        if last in ("create_async_engine", "create_engine") and node.args:
            self._note_engine(node.args[0], asynchronous=last == "create_async_engine")
        if function in ("Flask", "flask.Flask"):
            self.evidence.flask_apps.append(self.place(node))
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name | ast.Attribute | ast.Subscript) and (
                _target(target) == "SQLALCHEMY_DATABASE_URI"
            ):
                self._note_engine(node.value, asynchronous=False)
        self.generic_visit(node)

    def _note_read(self, node: ast.expr) -> bool:
        variable = variable_of(node)
        if variable is None:
            return False
        name, required, value = variable
        self.evidence.reads.append(
            VariableRead(
                f"{self.prefix}{name}", self.place(node), required and not self.instead, value
            )
        )
        return True

    def visit_Compare(self, node: ast.Compare) -> None:
        """``os.getenv("DB") == "postgres"``: the variable chooses Postgres among others."""
        value = text(node.comparators[0])
        if isinstance(node.ops[0], ast.Eq) and value and "postg" in value:
            variable = self._unchanged(node.left)
            if variable is not None:
                self.evidence.selectors.setdefault(variable, (value, self.place(node)))
        self.generic_visit(node)

    def visit_Match(self, node: ast.Match) -> None:
        """The same with ``match`` and ``case "postgresql":``."""
        variable = self._unchanged(node.subject)
        for case in node.cases:
            value = text(case.pattern.value) if isinstance(case.pattern, ast.MatchValue) else None
            if variable is not None and value and "postg" in value:
                self.evidence.selectors.setdefault(variable, (value, self.place(node.subject)))
        self.generic_visit(node)

    # Files of variables

    def _note_env_file(self, node: ast.Call, function: str, last: str) -> None:
        argument: ast.expr | None = None
        for word in node.keywords:
            if word.arg in ("_env_file", "dotenv_path", "env_file", "path", "recurse"):
                argument = word.value
        if last in ("load_dotenv", "dotenv_values", "read_env", "read_envfile"):
            argument = node.args[0] if node.args else argument
            searched = argument is None or dotted(argument).endswith("find_dotenv()")
        elif last == "Config" and node.args and str(self._path(node.args[0])).endswith(".env"):
            argument, searched = node.args[0], False
        elif any(word.arg == "_env_file" for word in node.keywords):
            searched = False
        else:
            return
        path = None if searched else self._path(argument)
        if not searched and path is None:
            self.evidence.computed_env_files.append(self.place(node))
        else:
            switch = self.switches[-1] if self.switches else None
            self.evidence.env_files.append(EnvFileRead(path, self.place(node), switch))

    def _path(self, node: ast.expr | None) -> Path | None:
        value = static_values.path(node, self.file, self.names)
        return Path(value) if value else None

    def visit_If(self, node: ast.If) -> None:
        names = list(self._variables_in(node.test))
        self.visit(node.test)
        self.switches += names[:1]
        for statement in node.body:
            self.visit(statement)
        if names:
            self.switches.pop()
        before, self.instead = self.instead, self.instead or _DEFAULT_KEY in names
        for statement in node.orelse:
            self.visit(statement)
        self.instead = before

    def _variables_in(self, node: ast.expr) -> Iterator[str]:
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id in self.names:
                part = self.names[part.id]  # noqa: PLW2901 - what the name is
            if isinstance(part, ast.expr) and (variable := variable_of(part)) is not None:
                yield variable[0]

    def visit_With(self, node: ast.With) -> None:
        """``with env.prefixed("DB_"):`` of environs."""
        before = self.prefix
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and dotted(call.func).endswith(".prefixed") and call.args:
                self.prefix += text(call.args[0]) or ""
        self.generic_visit(node)
        self.prefix = before

    # Engines and packages

    def _note_engine(self, argument: ast.expr, *, asynchronous: bool) -> None:
        variable = self._unchanged(argument)
        if variable is not None:
            self.evidence.engines.append(EngineMade(variable, self.place(argument), asynchronous))

    def _unchanged(self, node: ast.expr, depth: int = 0) -> str | None:
        """The variable, or a settings object's attribute, that an expression passes on as it is."""
        if (variable := variable_of(node)) is not None:
            return variable[0]
        if isinstance(node, ast.Name) and node.id in self.names and depth < 5:
            return self._unchanged(self.names[node.id], depth + 1)
        if isinstance(node, ast.Attribute):
            return node.attr.upper()
        if isinstance(node, ast.BoolOp):
            return self._unchanged(node.values[0], depth)
        if isinstance(node, ast.Call):
            last = dotted(node.func).rpartition(".")[2]
            if last == "str" and node.args:
                return self._unchanged(node.args[0], depth)
            if last in ("get_secret_value", "unicode_string") and isinstance(
                node.func, ast.Attribute
            ):
                return self._unchanged(node.func.value, depth)
        return None

    def visit_Import(self, node: ast.Import) -> None:
        self._note_imports([alias.name for alias in node.names], node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module and not node.level:
            self._note_imports([node.module], node)

    def _note_imports(self, modules: list[str], node: ast.stmt) -> None:
        self.evidence.note_imports((name.partition(".")[0] for name in modules), self.place(node))
        for name in modules:
            if extension := _DIALECTS.get(name.partition(".")[0]):
                self.evidence.extensions.setdefault(extension, self.place(node))
            if name.startswith("django.contrib.gis"):
                self.evidence.extensions.setdefault("postgis", self.place(node))


def _target(node: ast.Name | ast.Attribute | ast.Subscript) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else text(node.slice)

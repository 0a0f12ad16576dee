"""What an expression of Python is, as far as its text says: strings and paths."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

_Evaluate = Callable[[ast.expr], str | None]
_SAME = frozenset({"resolve", "absolute", "as_posix", "expanduser"})
_UNWRAPPED = frozenset({"str", "Path", "PurePath", "fspath", "abspath", "realpath", "normpath"})


def dotted(node: ast.expr) -> str:
    """``os.environ.get`` of the expression; the part before anything else than names is ``?``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return f"{dotted(node.func)}()" if isinstance(node, ast.Call) else "?"


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements with those inside them, in order; expressions are not gone into."""
    for node in body:
        yield node
        for name in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, name, ()))
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            yield from statements(part.body)


def text(node: ast.expr | None) -> str | None:
    """The value of a string; None: it is something else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def path(
    node: ast.expr | None, file: Path, names: Mapping[str, ast.expr], depth: int = 0
) -> str | None:
    """The path that an expression makes, as ``Path(__file__).parent / ".env"``.

    Args:
        node: the expression.
        file: the file that it is in.
        names: what is assigned to the module's names.
        depth: how many names have been followed.

    Returns:
        The path, relative where the code has it so; None: the text does not say.
    """
    if node is None or depth > 20:
        return None

    def of(other: ast.expr) -> str | None:
        return path(other, file, names, depth + 1)

    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        if node.id == "__file__":
            return str(file)
        return of(names[node.id]) if node.id in names else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
        return _joined([of(node.left), of(node.right)], slash=isinstance(node.op, ast.Div))
    if isinstance(node, ast.JoinedStr):
        parts = [
            of(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values
        ]
        return _joined(parts, slash=False)
    if isinstance(node, ast.Attribute):
        inner = of(node.value)
        return str(Path(inner).parent) if inner is not None and node.attr == "parent" else None
    if isinstance(node, ast.Subscript):
        return _parent_by_number(node, of)
    return _of_call(node, of) if isinstance(node, ast.Call) else None


def _parent_by_number(node: ast.Subscript, of: _Evaluate) -> str | None:
    """``Path(__file__).parents[1]``."""
    is_parents = isinstance(node.value, ast.Attribute) and node.value.attr == "parents"
    index = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if not is_parents or not isinstance(index, int) or not isinstance(node.value, ast.Attribute):
        return None
    inner = of(node.value.value)
    parents = Path(inner).parents if inner is not None else ()
    return str(parents[index]) if 0 <= index < len(parents) else None


def _of_call(node: ast.Call, of: _Evaluate) -> str | None:
    name = dotted(node.func).rpartition(".")[2]
    arguments = [of(argument) for argument in node.args]
    if name == "join" and arguments:
        return _joined(arguments, slash=True)
    if name == "dirname" and arguments:
        return str(Path(arguments[0]).parent) if arguments[0] is not None else None
    if name in _UNWRAPPED:
        return _joined(arguments, slash=True) if arguments else None
    if isinstance(node.func, ast.Attribute):
        inner = of(node.func.value)
        if name in _SAME:
            return inner
        if name in ("joinpath", "path", "__call__"):
            return _joined([inner, *arguments], slash=True)
        if name == "with_name" and inner is not None and arguments and arguments[0]:
            return str(Path(inner).with_name(arguments[0]))
    return None


def _joined(parts: list[str | None], *, slash: bool) -> str | None:
    whole = [part for part in parts if part is not None]
    if len(whole) != len(parts):
        return None
    return str(Path(*whole)) if slash else "".join(whole)

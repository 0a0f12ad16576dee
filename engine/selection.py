"""Which files of the packages go into a wheel: what works, and what that needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from engine import machine_code
from engine.unpacked import Files

_LIBDIR = re.compile(r"\$libdir/([\w-]+)")
_REQUIRES = re.compile(r"^requires\s*=\s*'([^']*)'", re.MULTILINE)


@dataclass
class Selection:
    """The files of a wheel's package, and what was left out.

    Args:
        files: those that go in.
        unloadable: modules whose libraries are in no package, with the first that is missing.
        extensions: those whose modules are not there, or that require another one of them.
    """

    files: Files
    unloadable: dict[str, str] = field(default_factory=dict)
    extensions: set[str] = field(default_factory=set)


def select(files: Files, libraries: Files, folder: PurePosixPath) -> Selection:
    """What works of the files, with each library once under the name that it is asked for.

    Args:
        files: programs, modules, and what is shared.
        libraries: what they may need, by all names.
        folder: where libraries are that are asked for by a name alone.

    Raises:
        ValueError: a program needs what is not there.
    """
    by_lower = {PurePosixPath(str(place).lower()): place for place in libraries}
    chosen = Selection({})
    for place, path in files.items():
        needed, missing = _needed(place, path, libraries, by_lower, folder)
        if missing is None:
            chosen.files |= {place: path} | needed
        elif place.parent.name == "bin":
            raise ValueError(f"{place} needs {missing}, which no package has")
        else:
            chosen.unloadable[place.stem] = missing
    _leave_out_extensions(chosen)
    chosen.files = dict(sorted(chosen.files.items()))
    return chosen


def _needed(
    place: PurePosixPath,
    path: Path,
    libraries: Files,
    by_lower: dict[PurePosixPath, PurePosixPath],
    folder: PurePosixPath,
) -> tuple[Files, str | None]:
    """The libraries of a file and theirs; and the first that is missing, if one is."""
    needed: Files = {}
    waiting = [(place, path)]
    while waiting:
        asking, asking_path = waiting.pop()
        code = machine_code.read(asking_path)
        for wanted in code.places(asking, folder) if code else []:
            library = by_lower.get(PurePosixPath(str(wanted).lower()))
            if library is None:
                return {}, wanted.name
            if library not in needed:
                needed[library] = libraries[library]
                waiting.append((library, libraries[library]))
    return needed, None


def _leave_out_extensions(chosen: Selection) -> None:
    """Take out the extensions that cannot be created, and the modules of those alone."""
    controls = {path.stem: path for path in chosen.files if path.suffix == ".control"}
    modules = {name: _modules(name, place, chosen.files) for name, place in controls.items()}
    requires = {name: _requires(chosen.files[place]) for name, place in controls.items()}
    out = {name for name in controls if modules[name] & set(chosen.unloadable)}
    while more := {name for name in controls if requires[name] & out} - out:
        out |= more
    used = set().union(*(modules[name] for name in controls if name not in out))
    orphans = set().union(*(modules[name] for name in out)) - used
    chosen.extensions = out
    for place in list(chosen.files):
        is_script = place.parent.name == "extension" and re.split(r"--|\.", place.name)[0] in out
        if is_script or (place.stem in orphans and place.parent.name != "extension"):
            del chosen.files[place]


def _modules(name: str, control: PurePosixPath, files: Files) -> set[str]:
    """The modules that an extension's scripts load."""
    scripts: Iterable[Path] = (
        path
        for place, path in files.items()
        if place.parent == control.parent and place.name.startswith(f"{name}--")
    )
    texts = [path.read_text("utf-8") for path in (files[control], *scripts)]
    return {module for text in texts for module in _LIBDIR.findall(text)}


def _requires(control: Path) -> set[str]:
    found = _REQUIRES.search(control.read_text("utf-8"))
    return {name.strip() for name in found[1].split(",")} if found else set()

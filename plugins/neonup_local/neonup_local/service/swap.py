"""Another data directory in the place of the present one, whatever is killed meanwhile.

A plan of it is in the database's folder before anything moves, and whoever next gets the
database's lock carries it out (`Databases.locked`): every step can be made again. So a database
has its old data or its new, and a start never takes it for lost in between.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import cluster, template
from neonup_local.service import notes, records

_NEXT = "next"


@dataclass(frozen=True)
class SwapPlan:
    """What is to be done. Paths are relative to the database's folder.

    Args:
        bring: the data directory that comes.
        keep: where the present one goes.
        engine: the id of the engine for the new one.
        git_branch: of which git branch the new one is; as before if None.
    """

    bring: str
    keep: str
    engine: str
    git_branch: str | None = None


def set_git_branch(folder: Path, name: str) -> None:
    """Record to which git branch the data belongs.

    Raises:
        OSError: it cannot be written; what was recorded stays.
    """
    _write(folder / notes.GIT_BRANCH, name)


def stage(folder: Path, copy: Path) -> str:
    """Give a complete copy the name under which a plan brings it; `remove_leftovers` went before.

    Raises:
        EngineError: the disk refused.
    """
    template.flush(copy)
    try:
        copy.rename(folder / _NEXT)
    except OSError as error:
        raise _failed(folder, error) from None
    return _NEXT


def remove_leftovers(folder: Path) -> None:
    """Remove the copies of runs that were killed before they had a plan; under the lock."""
    for path in (*folder.glob(".data-*"), folder / _NEXT):
        shutil.rmtree(path, ignore_errors=True)


def carry_out(folder: Path, plan: SwapPlan) -> None:
    """Put another data directory into the place of the present one; its server does not run.

    Raises:
        EngineError: the disk refused; whoever gets the lock next goes on with it.
    """
    try:
        (folder / plan.keep).parent.mkdir(mode=0o700, exist_ok=True)
        _write(folder / notes.PLAN, json.dumps(asdict(plan)))
    except OSError as error:
        raise _failed(folder, error) from None
    finish(folder)


def finish(folder: Path) -> None:
    """Carry out a plan that there is, from wherever it was left; under the database's lock.

    Raises:
        EngineError: the disk refused, or the plan is damaged.
    """
    path, data = folder / notes.PLAN, folder / "data"
    if not path.exists():
        return
    try:
        plan = SwapPlan(**json.loads(path.read_bytes()))
        bring = folder / plan.bring
        if bring.is_dir():  # else it is in its place already
            if data.is_dir():
                data.rename(folder / plan.keep)
            bring.rename(data)
        _record(folder, plan.engine)
        if plan.git_branch is not None:
            set_git_branch(folder, plan.git_branch)
        path.unlink()
    except OSError as error:
        raise _failed(folder, error) from None
    except (ValueError, TypeError):
        raise EngineError(
            f"The plan of what is to be done about a database is damaged: {path}.",
            checked=[f"{data} {'exists' if data.is_dir() else 'is missing'}"],
            remedy=f"Move the data directory that you want to {data} and delete the plan.",
        ) from None


def _record(folder: Path, engine: str) -> None:
    """Let the record say what the data in place needs: its password is to be set again."""
    try:
        record = records.read(folder)
    except EngineError:
        return  # damaged: `Databases.adopt` makes it again from the data
    if record is not None:
        major = cluster.major_version(folder / "data")
        records.write(folder, replace(record, engine=engine, pg_major=major, ready=False))


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".record-{secrets.token_hex(4)}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _failed(folder: Path, error: OSError) -> EngineError:
    return EngineError(
        f"The data of the database {folder.name!r} could not be exchanged: {error.strerror}.",
        checked=[str(error.filename)],
        remedy="Free some space or allow writing there; the next start goes on with it.",
    )

"""What a page says will happen, before a version is gone back to, or something is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from neonup import Version, VersionBranch
from neonup_pages import wording
from neonup_studio.places import Place

_RESTORES_KEPT = 5
"""As docs/versions.md says: of a database on this machine."""


@dataclass(frozen=True)
class Asked:
    """A question.

    Args:
        title: the page's.
        happens: what will happen, in whole sentences.
        button: what does it.
        danger: whether something is lost for good.
    """

    title: str
    happens: list[str]
    button: str
    danger: bool


def restore(place: Place, version: Version, now: datetime) -> Asked:
    """Before the database is brought back.

    Args:
        place: the project's database.
        version: what it is brought back to.
        now: the time.
    """
    kept = (
        "What it has now becomes a version, so that you can undo this, too. The newest "
        f"{_RESTORES_KEPT} of that kind stay."
        if place.provider == "local"
        else "What it has now becomes a version, too, where your plan at Neon allows one more. "
        "Otherwise it can only be reached by `neonup undo --at`."
    )
    return Asked(
        f'Go back to the version "{version.name}"?',
        [
            f"{place.title} gets the data that it had {_moment(version, now)}.",
            kept,
            "Its connections are closed; programs connect again by the same URL.",
            "The other versions stay.",
        ],
        "Go back to it",
        danger=False,
    )


def delete(version: Version, now: datetime) -> Asked:
    """Before a version is deleted.

    Args:
        version: which.
        now: the time.
    """
    size = f" ({wording.size(version.size)})" if version.size is not None else ""
    return Asked(
        f'Delete the version "{version.name}"?',
        [
            f"The data{size} of {_moment(version, now)} is deleted for good.",
            "The database and its other versions stay as they are.",
        ],
        "Delete it",
        danger=True,
    )


def delete_copy(branch: VersionBranch, now: datetime) -> Asked:
    """Before a copy beside the database is deleted.

    Args:
        branch: which.
        now: the time.
    """
    left = branch.expires_at and wording.left(branch.expires_at, now)
    return Asked(
        f'Delete the copy "{branch.name}"?',
        [
            "This copy is deleted with all that was changed in it, and its connections are closed.",
            *([f"Left alone, it would go by itself in {left}."] if left else []),
            "The database and its versions stay as they are.",
        ],
        "Delete it",
        danger=True,
    )


def _moment(version: Version, now: datetime) -> str:
    at = version.created_at
    return f"{wording.ago(at, now)} ({wording.when(at)})"

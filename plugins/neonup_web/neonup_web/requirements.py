"""Drivers and SQLAlchemy are the application's choice, so they are imported when they are used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from neonup import NeonupError


@contextmanager
def requires(feature: str, *requirements: str) -> Iterator[None]:
    """Around an import: where it fails, say what to install.

    Args:
        feature: what the application uses.
        requirements: for pip, as one types them.

    Raises:
        NeonupError: something is not installed.
    """
    try:
        yield
    except ImportError as error:
        missing = error.name or str(error).partition("\n")[0]
        raise NeonupError(
            f"{feature} needs {missing}, which is not installed.",
            remedy="pip install " + " ".join(f'"{requirement}"' for requirement in requirements),
        ) from None

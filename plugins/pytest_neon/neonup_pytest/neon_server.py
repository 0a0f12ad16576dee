"""A local Neon, for those who test an integration with Neon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neonup import EngineError


@dataclass(frozen=True)
class NeonServer:
    """A Neon on this machine.

    Args:
        url: its root; neon.new's API is at ``/api/v1``, Neon API v2 at ``/api/v2``.
        env: the variables that lead clients there: ``NEONUP_PROVIDER``, ``CLAIMABLE_NEON_HOST``,
            ``NEONUP_NEON_NEW_URL``, ``NEON_API_HOST``, ``NEON_OAUTH_HOST``, ``NEON_API_KEY``,
            ``NEON_ORG_ID``.
    """

    url: str
    env: Mapping[str, str]


@contextmanager
def serving(home: Path) -> Iterator[NeonServer]:
    """Serve until the end of the block.

    Raises:
        EngineError: it cannot be started.
    """
    try:
        from neonup_emulator import test_server
    except ModuleNotFoundError as error:
        if error.name != "neonup_emulator":
            raise
        raise EngineError(
            "neon_server needs neonup-emulator, which is not installed.",
            remedy='pip install "neonup[emulator]"',
        ) from None
    with test_server.serving(home) as (url, env):
        yield NeonServer(url, env)

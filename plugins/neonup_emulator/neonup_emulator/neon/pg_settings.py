"""Postgres's own settings, as an endpoint may be given them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neonup import EngineError
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Unprocessable
from neonup_emulator.neon.model import Project
from neonup_local.engine import account as accounts
from neonup_local.engine import config, program

_OURS = re.compile(
    r"port|listen_addresses|unix_socket_.*|.*_(file|directory)|external_pid_file|ssl.*"
    r"|archive_.*|restore_command|recovery_.*|primary_.*|hot_standby|standby_mode|wal_level"
    r"|wal_recycle|wal_init_zero|fsync|full_page_writes|.*_libraries|jit_provider"
    r"|log_.*|logging_collector|lc_messages|local_preload_libraries|event_source|syslog_.*",
    re.IGNORECASE,
)
"""Those on which the local Neon's own work rests."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,62}")


def check(neon: LocalNeon, project: Project, settings: Mapping[str, Any] | None) -> None:
    """Refuse settings with which a server would not start.

    Args:
        neon: has the programs.
        project: whose version of Postgres it is.
        settings: Postgres's settings; None: there are none.

    Raises:
        Unprocessable: Postgres does not know one or its value, or the local Neon sets it itself.
    """
    if not settings:
        return
    for name in settings:
        if not _NAME.fullmatch(name) or _OURS.fullmatch(name):
            raise Unprocessable(f'the setting "{name}" cannot be changed here')
    engine = neon.clusters.engines.for_id(project.engine)
    data = neon.clusters.templates.folder(engine)
    values = {name: str(value) for name, value in settings.items()}
    command: list[str | Path] = [
        engine.program("postgres"), "-C", next(iter(values)), "-D", data,
        *config.arguments(values),
    ]  # fmt: skip
    try:
        program.run(command, accounts.of_data(data), what="postgres")
    except EngineError as error:
        reasons = [line.partition("FATAL:")[2].strip() for line in error.checked if "FATAL" in line]
        raise Unprocessable(reasons[0] if reasons else error.message) from None

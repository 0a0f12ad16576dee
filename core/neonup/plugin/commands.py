"""Options, output and questions of a command, as neonup's own commands have them."""

from __future__ import annotations

from neonup.choice import N, resolve_by_id_or_name
from neonup.cli.completion import names as completed_by
from neonup.cli.groups import Choice, CommandGroup
from neonup.cli.moments import at, expiry, time_span
from neonup.cli.options import (
    SIGN,
    answering,
    change,
    database_options,
    make_sure,
    owner_option,
    recorded,
    start,
    yes_option,
)
from neonup.cli.output import (
    confirm,
    database_dict,
    date,
    emit,
    grid,
    json_option,
    say,
    show_database,
    size,
    style,
    table,
    tell,
    wants_json,
)
from neonup.extras import install

__all__ = [
    "SIGN", "Choice", "CommandGroup", "N", "answering", "at", "change", "completed_by", "confirm",
    "database_dict", "database_options", "date", "emit", "expiry", "grid", "install",
    "json_option", "make_sure", "owner_option", "recorded", "resolve_by_id_or_name",
    "say", "show_database", "size", "start", "style", "table", "tell", "time_span",
    "wants_json", "yes_option",
]  # fmt: skip

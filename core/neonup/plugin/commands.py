"""Options, output and questions of a command, as neonup's own commands have them."""

from __future__ import annotations

from neonup.choice import N, one_of
from neonup.cli.moments import Moment, at, expiry, span
from neonup.cli.options import (
    answering,
    database_options,
    make_sure,
    owner_option,
    start,
    yes_option,
)
from neonup.cli.output import (
    colourful,
    confirm,
    database_dict,
    date,
    emit,
    fail,
    grid,
    json_option,
    progress,
    say,
    size,
    style,
    table,
    wants_json,
)
from neonup.extras import install

__all__ = [
    "Moment",
    "N",
    "answering",
    "at",
    "colourful",
    "confirm",
    "database_dict",
    "database_options",
    "date",
    "emit",
    "expiry",
    "fail",
    "grid",
    "install",
    "json_option",
    "make_sure",
    "one_of",
    "owner_option",
    "progress",
    "say",
    "size",
    "span",
    "start",
    "style",
    "table",
    "wants_json",
    "yes_option",
]

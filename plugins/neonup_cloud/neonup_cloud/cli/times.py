"""Times and time spans as people write them."""

from __future__ import annotations

from datetime import timedelta

import click

from neonup.plugin.commands import time_span


def span(text: str) -> timedelta:
    """``--wait``: how long: ``30d``, ``12h``.

    Raises:
        click.BadParameter: it is no such thing.
    """
    try:
        if (span := time_span(text.strip())) is not None:
            return span
    except OverflowError:
        pass
    raise click.BadParameter(f"{text!r} is no time span: a number and s, m, h or d (30d).")

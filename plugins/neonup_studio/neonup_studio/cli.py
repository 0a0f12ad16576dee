"""``neonup studio``."""

from __future__ import annotations

import json
import threading
import webbrowser
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from neonup.plugin import commands

_IDLE = timedelta(minutes=30)


def _idle(_context: click.Context, _parameter: click.Parameter, text: str | None) -> timedelta:
    """``--idle``: a time span.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        span = _IDLE if text is None else commands.time_span(text)
    except OverflowError:
        span = None
    if not span or span < timedelta(seconds=1):
        raise click.BadParameter(f"{text!r} is no time span, e.g. 30m.")
    return span


@click.command()
@commands.database_options
@commands.owner_option
@click.option("--no-open", is_flag=True, help="Open no browser.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0,
    help="The port to listen on; a free one by default.",
)  # fmt: skip
@click.option("--read-only", is_flag=True, help="Change nothing in the database.")
@click.option(
    "--allow-remote", is_flag=True,
    help="Also change a database of your own that is on another machine.",
)  # fmt: skip
@click.option(
    "--idle", metavar="TIME", callback=_idle,
    help="End after so long without a request, e.g. 2h; after 30m by default.",
)  # fmt: skip
@click.option(
    "--test", metavar="TEST",
    help="Look into the database that pytest kept of a test, by the test's name.",
)  # fmt: skip
@commands.json_option
def studio(
    *,
    no_open: bool,
    port: int,
    read_only: bool,
    allow_remote: bool,
    idle: timedelta,
    test: str | None,
    **arguments: Any,
) -> None:
    """Look into the project's database in a browser: tables, queries, versions.

    The page is served on this machine alone. Its link works once: the browser that opens it stays
    signed in until the studio ends, by Ctrl-C or when nobody has used it for a while.
    """
    from neonup_pages import http_server
    from neonup_studio import kept_tests
    from neonup_studio.server import app, running
    from neonup_studio.studio import Studio

    start = commands.start(**arguments)
    studio = Studio(start, read_only=read_only, allow_remote=allow_remote, idle=idle)
    if test is not None:
        studio.first = kept_tests.segment_of(kept_tests.find(start.settings, test))
    elif studio.recorded() is None and (kept := kept_tests.listed(start.settings)):
        studio.first = f"{kept_tests.segment_of(kept[0])}/tests"  # there is nothing else to see
    else:
        commands.answering(start)  # what is wrong is said here rather than on a page
    with http_server.listen(app.HOST, port, "The studio") as listener:
        base = f"http://{app.HOST}:{listener.getsockname()[1]}"

        def ready(end: Callable[[], None]) -> None:
            studio.idle.begin(end)
            running.tell(start.settings, base)
            _announce(studio, studio.access.link(base), opens=not no_open)

        try:
            http_server.run(listener, app.create(studio), ready, timeout_graceful_shutdown=2)
        finally:
            running.forget(start.settings, base)


def _announce(studio: Any, link: str, *, opens: bool) -> None:
    if commands.wants_json():
        click.echo(json.dumps({"url": link}))
        return
    commands.say(
        [
            f"{'The studio is open in your browser' if opens else 'The studio is open'}: {link}",
            f"Ctrl-C ends it, or {studio.idle.words} without a visit.",
        ]
    )
    if opens:
        # Some browsers are programs of the terminal, which return when they are left.
        threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()

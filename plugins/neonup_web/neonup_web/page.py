"""The page of the database: plain HTML, one style sheet, nothing from anywhere else."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, timedelta
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

import neonup
from neonup import Database, NeonupError
from neonup_web.response import WebResponse
from neonup_web.studio import COMMAND, StudioHint
from neonup_web.summary import DatabaseSummary, TableSummary


def render_page(
    database: Database | None,
    summary: DatabaseSummary | None,
    error: NeonupError | None,
    studio: StudioHint | None = None,
) -> WebResponse:
    """The page of a database.

    Args:
        database: the database; None: there is none.
        summary: what it has; None: it does not answer.
        error: why it does not.
        studio: of the project; None: nothing is said of it.
    """
    parts = []
    if error is not None:
        parts.append(_error(error))
    if database is not None:
        parts += [_time_left(database), _facts(database, summary), _studio(studio)]
    if summary is not None:
        parts.append(_tables(summary))
    label = neonup.provider_label(database) if database else ""
    title = label[:1].upper() + label[1:]
    return _framed(title or "No database", "\n".join(parts), 200 if error is None else 503)


def _error(error: NeonupError) -> str:
    checked = "".join(f"<li>{escape(line)}</li>" for line in error.checked)
    remedy = f"<p>{escape(error.remedy)}</p>" if error.remedy else ""
    list_of_checked = f"<ul>{checked}</ul>" if checked else ""
    return (
        '<div class="trouble" role="alert"><h2>The database does not answer</h2>'
        f"<p>{escape(neonup.urls.mask(error.message))}</p>{list_of_checked}{remedy}</div>"
    )


def _time_left(database: Database) -> str:
    """How long it lives, and the button that claims it."""
    if database.expires_at is None or database.expires_in is None:
        return ""
    moment = database.expires_at.astimezone(UTC)
    claim = "<span><code>neonup claim</code> takes it into an account</span>"
    if database.claim_url and database.claim_url.startswith(("https://", "http://")):
        claim = (
            f'<a class="button" href="{escape(database.claim_url)}" target="_blank" '
            'rel="noreferrer">Claim this database</a>'
        )
    return (
        '<div class="left"><span>Time left until it is deleted</span>'
        f'<strong id="left" role="timer">{_duration(database.expires_in)}</strong>'
        f'<span>on <time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}" data-left>'
        f"{moment.day} {moment:%B %Y, %H:%M} UTC</time>, unless it is claimed</span>{claim}</div>"
    )


def _duration(left: timedelta) -> str:
    seconds = max(0, int(left.total_seconds()))
    return f"{seconds // 3600:02}h {seconds // 60 % 60:02}m {seconds % 60:02}s"


def _facts(database: Database, summary: DatabaseSummary | None) -> str:
    parts = neonup.urls.parse(database.url)
    host, port = parts.hosts[0] if parts.hosts else ("", None)
    facts = {
        "Database": parts.dbname or parts.user or "",
        "Host": host if port is None else f"{host}:{port}",
        "Provider": "none: the URL is yours"
        if database.provider == neonup.USER
        else database.provider,
        f"{database.key} from": database.source,
    }
    if database.note:
        facts["Note"] = database.note
    if summary is not None:
        facts |= {"Postgres": summary.version, "Size": summary.size}
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items()
    )
    return f"<dl>{rows}</dl>"


def _studio(studio: StudioHint | None) -> str:
    """The way to look into the database: a link, or a command."""
    if studio is None:
        return ""
    if studio.address is not None:
        link = f'<a href="{escape(studio.address)}" rel="noreferrer">Open the studio</a>'
        return f"<p>{link}: its tables, rows, queries and versions.</p>"
    command = f"<code>{COMMAND}</code> shows its tables, rows, queries and versions in a browser"
    before = f", after <code>{escape(studio.install)}</code>" if studio.install else ""
    return f"<p>{command}{before}.</p>"


def _tables(summary: DatabaseSummary) -> str:
    if not summary.tables:
        return "<h2>Tables</h2><p>None yet. Run your migrations, and they appear here.</p>"
    rows = "".join(
        f'<tr><th scope="row">{escape(table.name)}</th><td>{_rows(table)}</td>'
        f"<td>{escape(table.size)}</td></tr>"
        for table in summary.tables
    )
    more = f"<p>Only the first {len(summary.tables)} are shown.</p>" if summary.more else ""
    return (
        '<h2 id="tables">Tables</h2><div class="scroll" tabindex="0" role="region" '
        'aria-labelledby="tables"><table><thead><tr><th scope="col">Table</th>'
        '<th scope="col">Rows</th><th scope="col">Size</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{more}"
    )


def _rows(table: TableSummary) -> str:
    if table.rows is None:
        return "not counted"
    return f"{table.rows:,}" if table.exact else f"about {table.rows:,}"


@cache
def _file(name: str) -> str:
    return (files("neonup_web") / "pages" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """How a content security policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _framed(title: str, content: str, status: int) -> WebResponse:
    style, script = _file("style.css"), _file("countdown.js")
    body = Template(_file("frame.html")).substitute(
        title=escape(title), style=style, script=script, content=content
    )
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
    return WebResponse.html(body, status, headers)

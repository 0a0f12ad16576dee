"""Rendering a page: a template, and headers that permit no content from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from neonup_pages import wording

STATIC = "/static"
"""Where the style sheet, the script and the mark are."""


def environment(package: str) -> Environment:
    """The templates of a package, which extend and import those here, with everything escaped.

    ``frame.html`` is what pages extend; ``_parts.html`` and ``_outcome.html`` have macros. All of
    them know `wording`.

    Args:
        package: with a folder ``templates``.
    """
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("neonup_pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["wording"] = wording
    return made


def answer(
    templates: Environment,
    name: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    form_targets: tuple[str, ...] = (),
) -> HTMLResponse:
    """A page.

    Args:
        templates: of `environment`.
        name: of the template.
        values: what it knows.
        status: of HTTP.
        form_targets: origins to which its forms may lead beside this server, by a redirection.
    """
    content = templates.get_template(name).render(**values)
    return HTMLResponse(content, status, headers(form_targets))


def headers(form_targets: tuple[str, ...] = ()) -> dict[str, str]:
    """What is sent with each page: its content is this server's alone, and is kept nowhere."""
    targets = " ".join(("'self'", *form_targets))
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'; form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "cache-control": "no-store",
        "content-security-policy": policy,
        "referrer-policy": "same-origin",  # addresses hold claim links and codes
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def static(*packages: str) -> Mount:
    """The files below `STATIC`.

    Args:
        packages: others that have a folder ``static``, whose files have names of their own.
    """
    folders = [(package, "static") for package in ("neonup_pages", *packages)]
    return Mount(STATIC, StaticFiles(packages=list(folders)))

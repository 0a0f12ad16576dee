"""Whether a database may be created here: only with a positive sign of development."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Unpack

from neonup.errors import CreationForbidden, DatabaseGone, NeonupError
from neonup.settings import Settings, resolve

if TYPE_CHECKING:
    from neonup.arguments import Arguments

HOSTING = {
    "AWS_EXECUTION_ENV": "AWS",
    "AWS_LAMBDA_FUNCTION_NAME": "AWS Lambda",
    "CF_PAGES": "Cloudflare Pages",
    "CONTAINER_APP_NAME": "Azure Container Apps",
    "DYNO": "Heroku",
    "FLY_APP_NAME": "Fly.io",
    "FUNCTION_TARGET": "Google Cloud Functions",
    "GAE_ENV": "Google App Engine",
    "K_SERVICE": "Google Cloud Run",
    "KOYEB_APP_NAME": "Koyeb",
    "KUBERNETES_SERVICE_HOST": "Kubernetes",
    "NETLIFY": "Netlify",
    "PYTHONANYWHERE_DOMAIN": "PythonAnywhere",
    "RAILWAY_ENVIRONMENT": "Railway",
    "RENDER": "Render",
    "VERCEL": "Vercel",
    "WEBSITE_SITE_NAME": "Azure App Service",
}
"""Variables that a hosting platform sets for what runs on it."""


@dataclass(frozen=True)
class CreationPermission:
    """Leave to create.

    Args:
        sign: what says that this is development.
        local_only: why only a database on this machine may be created; None if any may.
    """

    sign: str
    local_only: str | None = None


def is_development(
    project: Path | str | None = None,
    *,
    sign: str | None = None,
    against: str | None = None,
    **arguments: Unpack[Arguments],
) -> bool:
    """Whether `neonup.ensure` may create a database here, with the same arguments.

    Raises:
        SettingsError: a value cannot be used.
    """
    try:
        ask(resolve(project, **arguments), sign, against=against, environ=os.environ)
    except CreationForbidden:
        return False
    return True


def check_enabled(settings: Settings) -> None:
    """Raise NeonupError where ``NEONUP=off`` forbids to change anything."""
    if not settings.enabled:
        raise NeonupError(
            "NEONUP=off forbids it: nothing is created, woken, changed or deleted. "
            "Nothing was done.",
            remedy="Unset NEONUP, then run this again.",
        )


def ask(
    settings: Settings,
    sign: str | None,
    *,
    against: str | None = None,
    need: str | None = None,
    environ: Mapping[str, str],
    argv: Sequence[str] | None = None,
) -> CreationPermission:
    """Leave to create a database, or an error that says what to do instead.

    Args:
        sign: what the caller knows, e.g. ``the neonup command`` or ``runserver with DEBUG on``.
        against: what the caller knows that says the opposite, e.g. ``DEBUG is off``.
        need: why there must be a new one, for the error; None: there is none.
        argv: ``sys.argv`` if None.

    Raises:
        CreationForbidden: something forbids it, or nothing allows it.
    """
    if not settings.enabled:
        raise _forbidden(settings, need, "NEONUP=off forbids it", "unset NEONUP")
    if settings.env == "production":
        source = settings.source("env")
        raise _forbidden(settings, need, f"env = production (from {source}) forbids it")
    local_only = (
        "CI is set, and in CI only the local provider may create databases"
        if _in_ci(environ)
        else None
    )
    if settings.env == "development":
        return CreationPermission(f"env = development (from {settings.source('env')})", local_only)
    for variable, platform in HOSTING.items():
        if environ.get(variable):
            raise _forbidden(
                settings, need, f"{variable} is set, so this looks like {platform}", _SAY_SO
            )
    argv = sys.argv if argv is None else argv
    if _is_pytest(environ, argv):
        return CreationPermission(sign or "pytest", "tests use only the local provider")
    if against:
        raise _forbidden(settings, need, against, _SAY_SO)
    sign = sign or _own_sign(argv, settings.project) or _plugins_sign(argv)
    if sign is None:
        raise _forbidden(settings, need, "nothing here says that this is development", _SAY_SO)
    return CreationPermission(sign, local_only)


_SAY_SO = "run `neonup`, or set NEONUP_ENV=development"


def _forbidden(
    settings: Settings, need: str | None, reason: str, also: str | None = None
) -> CreationForbidden:
    remedy = f"Set {settings.key} to the database's URL"
    return CreationForbidden(
        f"{need or f'There is no {settings.key}'}, and no database was created: {reason}.",
        checked=[f"the environment and {settings.env_file}"],
        remedy=f"{remedy}; or, to have a database created for you, {also}."
        if also
        else f"{remedy}.",
    )


def refusal(settings: Settings, need: str | None) -> NeonupError:
    """Why there is no database, for whoever asked that none be created; ``need`` as in `ask`."""
    if need is not None:
        return DatabaseGone(f"{need}.", remedy="`neonup` creates it again.")
    return NeonupError(
        f"There is no {settings.key} for {settings.project}.",
        checked=[f"the environment and {settings.env_file}"],
        remedy="`neonup` creates one.",
    )


def _in_ci(environ: Mapping[str, str]) -> bool:
    return environ.get("CI", "").lower() not in ("", "0", "false")


def _plugins_sign(argv: Sequence[str]) -> str | None:
    from neonup.plugins import create_plugin_manager  # only where nothing else says so

    sign: str | None = create_plugin_manager().hook.neonup_development(argv=argv)
    return sign


def _is_pytest(environ: Mapping[str, str], argv: Sequence[str]) -> bool:
    """Whether this process, or the one that started it, is pytest.

    pytest sets ``PYTEST_VERSION`` from 8.2 on, and ``PYTEST_CURRENT_TEST`` only while a test runs:
    https://docs.pytest.org/en/stable/reference/reference.html#environment-variables
    """
    if "PYTEST_VERSION" in environ or "PYTEST_CURRENT_TEST" in environ:
        return True
    program = PurePath(argv[0] if argv else "")
    return bool({"pytest", "py.test"} & {program.stem, program.name, program.parent.name})


def _own_sign(argv: Sequence[str], project: Path) -> str | None:
    program = PurePath(argv[0] if argv else "")
    if "fastapi" in (program.stem, program.parent.name) and "dev" in argv[1:2]:
        return "fastapi dev"
    if "--reload" in argv[1:]:
        return "--reload"
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    from neonup.start.program import is_own

    return "an interactive terminal" if is_own(argv, project) else None

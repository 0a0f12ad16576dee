"""Variables made of a database's URL: ``POSTGRES_SERVER = "{host}"`` in ``pyproject.toml``.

Loaded only by projects that have such variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter

from neonup.errors import SettingsError
from neonup.postgres import drivers, urls

_TABLE = "[tool.neonup.variables]"
_FORMS = {f"{name.replace('-', '_')}_url": name for name in drivers.DRIVERS if name != "django"}
_PARTS = ("url", "direct_url", "host", "port", "user", "password", "database", "sslmode")
PLACEHOLDERS = (*_PARTS, *_FORMS)
"""What may stand in braces: the URL, its parts, and its form for each driver."""


def check(table: Mapping[str, object], key: str) -> dict[str, str]:
    """The templates of a table, by the variables' names.

    Args:
        table: ``[tool.neonup.variables]``.
        key: the variable that holds the URL.

    Raises:
        SettingsError: a name or a template cannot be used.
    """
    return {name: _checked(name, template, key) for name, template in table.items()}


def _checked(name: str, template: object, key: str) -> str:
    reason = remedy = None
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) or name.startswith("NEONUP"):
        reason = "this is no name for a variable of the project's"
        remedy = "A name has letters, digits and underscores, and does not begin with NEONUP."
    elif name in (key, f"{key}_DIRECT"):
        reason = f"neonup sets {name} itself"
        remedy = "Remove it here, or name another variable with the setting key."
    elif not isinstance(template, str) or not template:
        reason, remedy = "it must be a string", f'Correct it, e.g. {name} = "{{host}}".'
    elif unknown := _unknown(template):
        reason = f"it has {unknown}"
        remedy = f"Placeholders are {', '.join(f'{{{part}}}' for part in PLACEHOLDERS)}."
    else:
        return template
    message = f"{name} in pyproject.toml {_TABLE} cannot be used: {reason}."
    raise SettingsError(message, remedy=remedy)


def _unknown(template: str) -> str | None:
    """What a template has that cannot be filled in, in words."""
    try:
        for text, part, form, conversion in Formatter().parse(template):
            if not text.isprintable():
                return "characters that cannot be printed"
            if part is not None and (part not in PLACEHOLDERS or form or conversion):
                return f"an unknown placeholder {{{part}}}"
    except ValueError as error:
        return f"braces that do not match ({error}); a brace itself is doubled"
    return None


def fill(templates: Mapping[str, str], url: str, direct_url: str) -> dict[str, str]:
    """The variables' values for a database.

    Args:
        templates: as `check` returns them.
        url: the database's URL, in any form.
        direct_url: the URL past the pooler.

    Raises:
        SettingsError: the URL is none of a Postgres database.
    """
    place = urls.parse(url)
    used = {part for text in templates.values() for _, part, _, _ in Formatter().parse(text)}
    values = {
        "url": url,
        "direct_url": direct_url,
        "host": ",".join(host for host, _ in place.hosts) or "localhost",
        "port": ",".join(str(port or 5432) for _, port in place.hosts) or "5432",
        "user": place.user or "",
        "password": place.password or "",
        "database": place.dbname or place.user or "",
        "sslmode": place.sslmode,
        **{form: drivers.for_driver(url, name) for form, name in _FORMS.items() if form in used},
    }
    return {name: template.format(**values) for name, template in templates.items()}

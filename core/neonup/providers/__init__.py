"""The providers, and what a provider is.

The known ones register through the hook like any other; the list here spares the path where a
database is already there the loading of entry points.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from neonup.errors import ProviderError

if TYPE_CHECKING:
    from neonup.database import Database
    from neonup.providers.base import Provider

KNOWN = {
    "local": "neonup_local.provider:LocalProvider",
    "neon.new": "neonup.providers.neon_new:NeonNewProvider",
}
"""Where the known providers are, in the order in which ``auto`` tries them."""


def provider_class(name: str) -> type[Provider]:
    """The provider of that name; entry points are loaded only for one that is not known.

    Raises:
        ProviderError: there is none, it is not installed, or two plugins offer one.
    """
    if name not in KNOWN:
        from neonup import plugins

        return plugins.provider_class(name)
    module, _, attribute = KNOWN[name].partition(":")
    try:
        found: type[Provider] = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ProviderError(
            f"The provider {name!r} is not installed.", remedy=f'pip install "neonup[{name}]"'
        ) from None
    return found


def is_local(database: Database) -> bool:
    """Whether a database that neonup made is on this machine; False for the user's own.

    Raises:
        ProviderError: its provider is not installed.
    """
    return database.provider != "user" and provider_class(database.provider).local

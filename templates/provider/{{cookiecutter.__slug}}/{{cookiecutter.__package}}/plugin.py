"""What neonup calls."""

import neonup

from {{ cookiecutter.__package }}.provider import {{ cookiecutter.__class }}


@neonup.hookimpl
def neonup_providers() -> list[type[neonup.Provider]]:
    """The provider `{{ cookiecutter.__name }}`."""
    return [{{ cookiecutter.__class }}]

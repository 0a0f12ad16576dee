"""Refuses a name that would not work, before anything is generated."""

import re
import sys

NAME = {{ cookiecutter.project_name | tojson }}
SLUG = {{ cookiecutter.__slug | tojson }}
TAKEN = {
    *("asgiref", "django", "django-htmx", "django-ninja", "django-stubs", "gunicorn", "mypy"),
    *("neonup", "neonup-django", "neonup-local", "neonup-pytest", "psycopg", "pydantic"),
    *("pytest", "pytest-django", "ruff", "sqlparse", "whitenoise"),
}

reason = None
if not re.fullmatch(r"[\w .'-]{1,50}", NAME):
    reason = "it may have letters, digits, spaces and . ' - _ in it, 50 of them at most"
elif not re.fullmatch(r"[a-z][a-z0-9-]*", SLUG):
    reason = "it must begin with a letter"
elif SLUG in TAKEN:
    reason = "the project depends on a package of that name"
if reason:
    sys.exit(f"The project cannot be named {NAME!r}: {reason}.")

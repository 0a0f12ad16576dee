"""Refuses a name that would not work, before anything is generated."""

import re
import sys

TITLE = {{ cookiecutter.project_name | tojson }}
NAME = {{ cookiecutter.__name | tojson }}
TAKEN = {"account", "auto", "claimable", "cloud", "django", "emulator", "fastapi", "inspect"}
TAKEN |= {"local", "mcp", "neon", "neon-new", "neonup", "pages", "pytest", "studio", "templates", "user", "web"}

reason = None
if not re.fullmatch(r"[\w .-]{1,30}", TITLE):
    reason = "it may have letters, digits, spaces and . - _ in it, 30 of them at most"
elif not re.fullmatch(r"[a-z][a-z0-9-]*", NAME):
    reason = "it must begin with a letter"
elif NAME in TAKEN:
    reason = "neonup has something of that name"
if reason:
    sys.exit(f"The provider cannot be named {TITLE!r}: {reason}.")

"""Takes away what was not chosen, and what installing the template may have left in it."""

import shutil
from pathlib import Path

PAGES = ("notes/static", "notes/templates", "notes/views.py", "notes/urls.py", "tests/test_pages.py")
API = ("notes/api.py", "tests/test_api.py")

for name in API if {{ cookiecutter.frontend | tojson }} == "HTMX" else PAGES:
    path = Path(name)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()

for folder in list(Path.cwd().rglob("__pycache__")):
    shutil.rmtree(folder)

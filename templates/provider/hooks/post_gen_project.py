"""Takes away what installing the template may have left in it: compiled files."""

import shutil
from pathlib import Path

for folder in list(Path.cwd().rglob("__pycache__")):
    shutil.rmtree(folder)

"""``neonup new``: projects from cookiecutter templates, which travel in this distribution."""

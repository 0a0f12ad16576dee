"""{{ cookiecutter.project_name }}: settings and addresses."""

"""A neonup provider: databases of {{ cookiecutter.project_name }}."""

"""What manage.py and the tests use."""

from config.settings.base import *  # noqa: F403 - all of them

DEBUG = True
SECRET_KEY = "of-no-use-elsewhere"  # noqa: S105

"""Creating a database for a project and recording it, in a command that is not a start."""

from __future__ import annotations

from neonup.env.dotenv import check_writable
from neonup.env.record_changes import write as write_record
from neonup.providers.registry import choose_provider
from neonup.settings import AUTO
from neonup.start.created import create as create_database
from neonup.start.database_json import from_json as database_from_json
from neonup.start.database_json import to_json as database_to_json
from neonup.start.plugin_variables import add as add_variables
from neonup.start.provision import allow as allow_creation
from neonup.start.ready import make_schema

__all__ = [
    "AUTO", "add_variables", "allow_creation", "check_writable", "choose_provider",
    "create_database", "database_from_json", "database_to_json", "make_schema", "write_record",
]  # fmt: skip

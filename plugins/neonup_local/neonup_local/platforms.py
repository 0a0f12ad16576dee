"""What Postgres on this machine cannot do on every platform; see `neonup.platforms`."""

from __future__ import annotations

from neonup import EngineError
from neonup.plugin.platforms import LINUX, MACOS, Capability

CAPABILITIES = (
    ADMINISTRATORS := Capability(
        "An administrator has a local database: root's runs as the account `postgres` or `nobody`",
        (LINUX, MACOS),
        "Run this in a terminal that was not opened as administrator.",
        cannot="Postgres cannot be run with an administrator's rights",
        error=EngineError,
    ),
    Capability(
        "A user id without a name, as containers have, has a local database",
        (LINUX,),
        "Postgres's initdb asks for a name in the user database.",
    ),
    Capability(
        "A server that is stopped writes everything down",
        (LINUX, MACOS),
        "It is ended as it is; at its next start it recovers from its log.",
    ),
    Capability(
        "Copies share their blocks, where the file system does (btrfs, XFS)",
        (LINUX,),
        "Each copy takes its room: of a template, a version, a branch of the local Neon.",
    ),
    Capability(
        "A test run's data is in memory, where there is room",
        (LINUX,),
        "It is on the disk, or in the folder that `NEONUP_TEST_FOLDER` names.",
    ),
    Capability(
        "The port of a test run's server is kept from other programs before it starts",
        (LINUX,),
        "Where another program was faster, the server does not start, and the error says so.",
    ),
    Capability(
        "Errors name the system's package of Postgres and its extensions",
        (LINUX, MACOS),
        "They name wheels for pip; `pg_bin` takes any Postgres that is installed.",
    ),
)
"""What Postgres on this machine can do."""

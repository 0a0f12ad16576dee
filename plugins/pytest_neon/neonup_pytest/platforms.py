"""What tests' databases cannot do on every platform; see `neonup.platforms`."""

from __future__ import annotations

from neonup.plugin.platforms import LINUX, Capability

CAPABILITIES = (
    RESTORED := Capability(
        "A test's database is restored for the next test, with Postgres 17 or newer",
        (LINUX,),
        "Every test gets a new copy of the template.",
    ),
    Capability(
        "A template that is built beside a child process, which may write to it, is of one run",
        (LINUX,),
        "Only threads are seen.",
    ),
)
"""What tests' databases can do."""

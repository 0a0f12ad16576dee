"""The types of the bodies' fields, and the fields that a body has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Id = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,60}$")]
OptionalId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{0,60}$")]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
PgName = Annotated[str, Meta(min_length=1, max_length=63, pattern=r"^[^\x00]+$")]
Units = Annotated[float, Meta(ge=0.25, le=1024)]
Timeout = Annotated[int, Meta(ge=-1, le=604_800)]
Retention = Annotated[int, Meta(ge=0, le=2_592_000)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]
Email = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Weekday = Annotated[int, Meta(ge=1, le=7)]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Provisioner = Literal["k8s-neonvm", "k8s-pod", "docker", "serverless-platform"]
Annotation = Annotated[dict[str, str], Meta(max_length=50)]


def check_fit(*names: str | UnsetType | None) -> None:
    """Postgres counts a name's bytes, not its characters, and cuts what is too long.

    Raises:
        ValueError: one is too long; msgspec refuses the body then.
    """
    for name in names:
        if isinstance(name, str) and len(name.encode()) > 63:
            raise ValueError(f"a name of at most 63 bytes was expected, not {name!r}")


def given(changes: Struct) -> dict[str, Any]:
    """The fields that a body has, as plain values."""
    from msgspec import to_builtins

    return {
        name: to_builtins(value) if isinstance(value := getattr(changes, name), Struct) else value
        for name in changes.__struct_fields__
        if getattr(changes, name) is not UNSET
    }

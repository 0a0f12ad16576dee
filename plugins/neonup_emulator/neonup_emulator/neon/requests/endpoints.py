"""Bodies of requests about endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from neonup_emulator.neon.model import EndpointType
from neonup_emulator.neon.regions import Region
from neonup_emulator.neon.requests.fields import Id, Provisioner, Timeout, Units
from neonup_emulator.neon.requests.projects import PreloadLibraries


class EndpointSettings(Struct, omit_defaults=True):
    """The settings of an endpoint."""

    pg_settings: dict[str, str] | UnsetType = UNSET
    pgbouncer_settings: dict[str, str] | UnsetType = UNSET
    preload_libraries: PreloadLibraries | UnsetType = UNSET


class EndpointOptions(Struct):
    """What can be set of an endpoint."""

    settings: EndpointSettings | UnsetType = UNSET
    autoscaling_limit_min_cu: Units | UnsetType = UNSET
    autoscaling_limit_max_cu: Units | UnsetType = UNSET
    provisioner: Provisioner | UnsetType = UNSET
    pooler_enabled: bool | UnsetType = UNSET
    pooler_mode: Literal["transaction"] | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    passwordless_access: bool | UnsetType = UNSET
    suspend_timeout_seconds: Timeout | UnsetType = UNSET
    name: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET


class NewEndpoint(EndpointOptions, kw_only=True):
    """An endpoint to be created."""

    branch_id: Id
    type: EndpointType
    region_id: Region | UnsetType = UNSET


class CreateEndpoint(Struct):
    """Body of `createProjectEndpoint`."""

    endpoint: NewEndpoint


class EndpointChanges(EndpointOptions, kw_only=True):
    """What changes of an endpoint."""

    branch_id: Id | UnsetType = UNSET


class UpdateEndpoint(Struct):
    """Body of `updateProjectEndpoint`."""

    endpoint: EndpointChanges

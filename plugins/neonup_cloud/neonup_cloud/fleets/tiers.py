"""Tiers: the quota, the compute sizes and the history that users' projects get."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec

from neonup import SettingsError
from neonup.plugin.options import closest
from neonup_cloud.api.requests import Values

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Quota:
    """What a project may use in a billing period; 0 is unlimited (OpenAPI document,
    ``ProjectQuota``). Neon suspends the computes of a project that has used one up.

    Args:
        active_time_seconds: wall-clock time that computes run.
        compute_time_seconds: CPU time of computes.
        written_data_bytes: written to all branches.
        data_transfer_bytes: sent from all branches.
        logical_size_bytes: of each branch, at any time: one that is larger only refuses to grow.
    """

    active_time_seconds: int = 0
    compute_time_seconds: int = 0
    written_data_bytes: int = 0
    data_transfer_bytes: int = 0
    logical_size_bytes: int = 0

    def as_dict(self) -> dict[str, int]:
        """All figures under Neon's names. A 0 removes a quota that an earlier tier has set."""
        return {member.name: getattr(self, member.name) for member in fields(self)}


@dataclass(frozen=True)
class Tier:
    """What the projects of some users get. Where a value is None, Neon's default applies.

    Args:
        name: what users' projects are marked with: a-z, 0-9, ``-`` and ``_``, at most 40.
        quota: what a project may use.
        min_cu: compute units at least, from 0.25 on.
        max_cu: compute units at most.
        suspend_timeout_seconds: idle seconds before a compute is suspended; -1 never, 0 Neon's
            default. What is allowed depends on the plan.
        history_retention_seconds: how far back branches can be restored.
        org_id: the organization that its projects are in; None: the client's.
        branches: how many branches a project may have; None: nothing is checked.
        snapshots: the same of manual snapshots.

    Raises:
        SettingsError: a value cannot be used.
    """

    name: str
    quota: Quota = field(default_factory=Quota)
    min_cu: float | None = None
    max_cu: float | None = None
    suspend_timeout_seconds: int | None = None
    history_retention_seconds: int | None = None
    org_id: str | None = None
    branches: int | None = None
    snapshots: int | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise SettingsError(
                f"A tier cannot be called {self.name!r}.",
                remedy="Use a-z, 0-9, - and _, at most 40 characters.",
            )
        if (self.min_cu or 0) > (self.max_cu or float("inf")):
            raise SettingsError(f"The tier {self.name} has a min_cu above its max_cu.")

    @property
    def compute(self) -> Values:
        """The settings of its endpoints, as Neon names them; None where nothing is set."""
        return {
            "autoscaling_limit_min_cu": self.min_cu,
            "autoscaling_limit_max_cu": self.max_cu,
            "suspend_timeout_seconds": self.suspend_timeout_seconds,
        }

    @property
    def project(self) -> dict[str, Any]:
        """The settings of its projects, for `Projects.create` and `Projects.update`."""
        return {
            "settings": {"quota": self.quota.as_dict()},
            "default_endpoint_settings": self.compute,
            "history_retention_seconds": self.history_retention_seconds,
        }


class Tiers(Mapping[str, Tier]):
    """The tiers of a fleet, by their names.

    Raises:
        SettingsError: there are no tiers, or two of them have the same name.
    """

    def __init__(self, tiers: Iterable[Tier]):
        self._tiers: dict[str, Tier] = {}
        for tier in tiers:
            if tier.name in self._tiers:
                raise SettingsError(f"Two tiers are called {tier.name!r}.")
            self._tiers[tier.name] = tier
        if not self._tiers:
            raise SettingsError(
                "A fleet needs at least one tier.",
                remedy="Give Fleet tiers, or add a table: [tool.neonup.fleet.tiers.free]",
            )

    def __getitem__(self, name: str) -> Tier:
        return self._tiers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tiers)

    def __len__(self) -> int:
        return len(self._tiers)

    def named(self, name: str) -> Tier:
        """The tier of a name.

        Raises:
            SettingsError: there is no tier of that name.
        """
        try:
            return self._tiers[name]
        except KeyError:
            close = closest(name, self)
            raise SettingsError(
                f"There is no tier {name!r}.",
                checked=[f"the tiers: {', '.join(self)}"],
                remedy=f"Did you mean {close!r}?" if close else None,
            ) from None

    def organizations(self, default: str | None) -> list[str | None]:
        """The organizations in which projects can be, each once.

        Args:
            default: the organization of tiers that name none.
        """
        return list(dict.fromkeys(tier.org_id or default for tier in self._tiers.values()))

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Tiers:
        """Tiers from a TOML table with one table for each; its keys are the fields of `Tier`.

        Raises:
            SettingsError: a value or a name in it cannot be used.
        """
        return cls(_tier(name, values) for name, values in table.items())


def _tier(name: str, values: Any) -> Tier:
    try:
        if not isinstance(values, dict):
            raise msgspec.ValidationError("Expected a table")
        known = {member.name for member in fields(Tier)}
        unknown = [entry for entry in values if entry not in known or entry == "name"]
        quota = values.get("quota", {})
        if isinstance(quota, dict):
            amounts = {member.name for member in fields(Quota)}
            unknown += [f"quota.{entry}" for entry in quota if entry not in amounts]
        if unknown:
            quotas = [f"quota.{member.name}" for member in fields(Quota)]
            close = closest(unknown[0], [*known, *quotas])
            meant = f"; did you mean {close}?" if close else ""
            raise msgspec.ValidationError(f"there is no {', '.join(unknown)}{meant}")
        return msgspec.convert({**values, "name": name}, Tier)
    except msgspec.ValidationError as error:
        raise SettingsError(f"The tier {name} cannot be used: {error}.") from None

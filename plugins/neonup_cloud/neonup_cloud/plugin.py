"""The hooks of this distribution: the provider ``account``, and commands about Neon accounts."""

from __future__ import annotations

from typing import Any

from neonup import Command, Database, Provider, Settings, hookimpl


@hookimpl
def neonup_providers() -> list[type[Provider]]:
    """One's own account at Neon."""
    from neonup_cloud.account.provider import AccountProvider

    return [AccountProvider]


@hookimpl
def neonup_servers() -> list[type[Any]]:
    """What ``neonup prune`` offers to delete in accounts."""
    from neonup_cloud.account.prunable import PrunableBranches

    return [PrunableBranches]


@hookimpl
def neonup_claimed(settings: Settings) -> Database:
    """The new URL from one's own account, as ``neonup adopt`` finds it."""
    from neonup_cloud.cli.adopt import adopt_claimed

    return adopt_claimed(settings)


@hookimpl
def neonup_commands() -> list[Command]:
    """What a developer or a platform does in an account."""
    return [
        Command(name, f"neonup_cloud.cli.{name}:{name}", text, section)
        for name, section, text in (
            ("push", "Data", "Move the local database to Neon."),
            ("pull", "Data", "Copy a cloud database to this machine."),
            ("auth", "Neon account", "Sign in at Neon, so that no API key is needed."),
            ("adopt", "Neon account", "Find the claimed database in your account."),
            ("projects", "Neon account", "Neon projects of your account."),
            ("branches", "Neon account", "Branches of a Neon project."),
            ("snapshots", "Neon account", "Snapshots of a Neon project."),
            ("usage", "Neon account", "Show what the project consumed."),
            ("claimable", "Platform", "Unclaimed databases for a class or a workshop."),
            ("fleet", "Platform", "A Neon project for each of your users."),
        )
    ]

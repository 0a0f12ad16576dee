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
        Command(
            "auth", "neonup_cloud.cli.auth:auth", "Sign in at Neon, so that no API key is needed."
        ),
        Command(
            "adopt", "neonup_cloud.cli.adopt:adopt", "Find the claimed database in your account."
        ),
        Command("push", "neonup_cloud.cli.push:push", "Move the local database to Neon."),
        Command("pull", "neonup_cloud.cli.pull:pull", "Copy a cloud database to this machine."),
        Command("projects", "neonup_cloud.cli.projects:projects", "Neon projects of your account."),
        Command("branches", "neonup_cloud.cli.branches:branches", "Branches of a Neon project."),
        Command(
            "snapshots", "neonup_cloud.cli.snapshots:snapshots", "Snapshots of a Neon project."
        ),
        Command(
            "claimable",
            "neonup_cloud.cli.claimable:claimable",
            "Unclaimed Neon databases for a class or a workshop.",
        ),
        Command("usage", "neonup_cloud.cli.usage:usage", "Show what the project consumed."),
        Command("fleet", "neonup_cloud.cli.fleet:fleet", "A Neon project for each of your users."),
    ]

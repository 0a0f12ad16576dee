"""What each command prints with ``--json``: declared once here, for the page and for the tests.

`tests.project.Project.json` compares what a command really printed with it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import click
import msgspec
from jsonschema import Draft202012Validator

from neonup.cli import cli
from neonup_cloud import claimable_batch
from neonup_cloud.api import answers as neon

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
State = Literal["ready", "stopped", "missing", "expired", "claiming", "revoked", "claimed"]


class Database(TypedDict):
    """A database of a project."""

    provider: str
    id: str | None
    key: str
    url: str
    direct_url: str
    claim_url: str | None
    expires_at: Moment | None
    source: str
    created: bool


class Status(Database):
    """A database, and how it is: ``detail`` has what its provider says of it."""

    state: State
    belongs_to: str | None
    detail: dict[str, str]


class Pushed(Database):
    """The database that has everything now; ``rows`` by table."""

    rows: dict[str, int]
    remarks: list[str]
    switched: str | None
    back: str


class Pulled(Database):
    """The database that was filled; ``rows`` by table, and the columns that were masked."""

    rows: dict[str, int]
    masked: list[str]
    remarks: list[str]
    written: str | None


class Url(TypedDict):
    """A connection URL, with its password."""

    url: str


class Destroyed(TypedDict):
    """What was deleted."""

    deleted: bool
    provider: str
    id: str | None


class Deleted(TypedDict):
    """What was deleted."""

    deleted: bool
    id: str
    name: str


class Claim(TypedDict):
    """The link with which a person takes the database, and the code that its page asks for."""

    claim_url: str
    code: NotRequired[str]
    expires_at: NotRequired[Moment]
    effect: NotRequired[str]


class Version(TypedDict):
    """A kept state; ``size`` in bytes; ``automatic``: neonup took it by itself."""

    id: str
    name: str
    created_at: Moment
    size: int | None
    automatic: bool


class Preview(TypedDict):
    """A copy beside the database."""

    id: str
    name: str
    url: str
    expires_at: Moment | None


class VersionList(TypedDict):
    """Versions, newest first, and previews."""

    versions: list[Version]
    previews: list[Preview]


class Restored(TypedDict):
    """What the database is at now, and as what the state of before is kept."""

    name: str
    before: Version | None
    branch_id: str | None
    database_id: str | None
    kept_branch: str | None


class Finding(TypedDict):
    """What was looked at and found; ``remedy`` is null where nothing is wrong."""

    topic: str
    text: str
    remedy: str | None


class Report(TypedDict):
    """All findings; ``ok``: none has a remedy."""

    findings: list[Finding]
    ok: bool


class DatabaseFinding(TypedDict):
    """Something worth a look, and the statement that mends it; ``weight`` from 0 to 100."""

    topic: str
    subject: str
    reason: str
    statement: str | None
    weight: float


class Inspection(TypedDict):
    """What is worth a look, worst first."""

    findings: list[DatabaseFinding]
    notes: list[str]


class InspectedTopic(Inspection):
    """All of one kind."""

    topic: str
    question: str
    rows: list[dict[str, Any]]


class ProposedSetting(TypedDict):
    """A line for pyproject.toml, and the place in the project that it follows from."""

    table: str
    name: str
    value: Any
    why: str
    file: str
    line: int | None


class Proposal(TypedDict):
    """What was proposed, and whether it was written."""

    project: str
    file: str
    settings: list[ProposedSetting]
    reads: dict[str, str]
    notes: list[str]
    diff: str
    written: bool


class Server(TypedDict):
    """A database on this machine; ``size`` in bytes."""

    id: str
    state: str
    port: int | None
    kind: str | None
    project: str | None
    engine: str | None
    size: int
    connections: int
    pid: int | None
    problem: str | None


class Log(TypedDict):
    """The file, and its last lines."""

    log: str
    lines: list[str]


class Stopped(TypedDict):
    """The ids of what ran."""

    stopped: list[str]


class Pruned(TypedDict):
    """An id, why it was offered, and how many bytes it took."""

    id: str
    why: str
    size: int


class Left(TypedDict):
    """An id, and why it stays."""

    id: str
    why: str


class Pruning(TypedDict):
    """What was deleted, and what was left."""

    deleted: list[Pruned]
    left: list[Left]


class Engine(TypedDict):
    """A Postgres that was looked for; ``why_not``: why it cannot be used."""

    name: str
    where: str
    version: str | None
    tls: bool | None
    icu: bool | None
    pgvector: bool | None
    contrib: bool | None
    extensions: str | None
    why_not: str | None
    chosen: bool


class EngineChange(TypedDict):
    """The engine that the database has now, and why it was dumped and restored."""

    engine: str
    before: Version | None
    reasons: list[str]


class SignedIn(TypedDict):
    """Who is signed in, where, and where the tokens are kept."""

    signed_in: NotRequired[bool]
    email: str
    oauth_host: str
    client_id: str
    kept_in: str


class Nobody(TypedDict):
    """Nobody is signed in; status 1."""

    signed_in: bool
    api: str


class SignedOut(TypedDict):
    """Whether Neon has revoked what was allowed."""

    signed_in: bool
    revoked: bool


class RestoredBranch(TypedDict):
    """A branch, and the name of the one that has its data of before."""

    id: str
    name: str
    kept_as: str | None


class UserProject(TypedDict):
    """A user's project of a fleet."""

    project_id: str
    user: str | None
    tier: str | None
    lifecycle: str
    due: Moment | None
    changing: bool
    org_id: str | None
    created_at: Moment | None
    created: bool


class Provisioned(UserProject):
    """A user's project, with the secrets that were asked for."""

    url: NotRequired[str]
    key: NotRequired[str | None]


class PlannedProject(TypedDict):
    """With --dry-run, of a user who has no project."""

    project_id: None
    user: str
    tier: str


class Excess(TypedDict):
    """A figure of which a project uses more than a tier allows."""

    name: str
    used: int
    limit: int


class TierChange(UserProject):
    """A change of tier; ``applied``: it was made."""

    before: str | None
    after: str
    excess: list[Excess]
    applied: bool


class Use(TypedDict):
    """How much of a quota is used; ``limit`` is null where there is none."""

    used: int
    limit: int | None
    percent: float | None


class QuotaEvent(TypedDict):
    """A quota that is used up, or nearly."""

    id: str
    user: str | None
    project_id: str
    quota: str
    level: int
    used: int
    limit: int | None


class Usage(UserProject):
    """What a project has used in its billing period, by quota."""

    period_start: Moment | None
    period_end: Moment | None
    used: dict[str, Use]
    events: list[QuotaEvent]


class Consumption(TypedDict):
    """With --by: what a project consumed in a period, with an amount for each of Neon's metrics."""

    user: str | None
    project_id: str
    tier: str | None
    start: Moment
    end: Moment


class ProjectDeletion(UserProject):
    """A deletion that was done, or when it is due."""

    snapshot_id: str | None
    deleted: bool


class NoProject(TypedDict):
    """The user has no project."""

    user: str
    deleted: bool


class Error(TypedDict):
    """What failed, what was checked, what to do."""

    code: str
    message: str
    checked: list[str]
    remedy: str | None


class FailedChange(UserProject):
    """A project of which something failed."""

    error: Error


class Sweep(TypedDict):
    """What was due, and what failed."""

    deleted: list[UserProject]
    finished: list[UserProject]
    duplicates: list[UserProject]
    failed: list[FailedChange]


class FailedMigration(UserProject):
    """A project whose command failed."""

    error: str


class Migration(TypedDict):
    """For whom the command was run; ``earlier``: the journal has it already."""

    done: list[UserProject]
    earlier: list[UserProject]
    skipped: list[UserProject]
    failed: list[FailedMigration]


class Ready(TypedDict):
    """In one line, once the server answers; ``env`` leads clients to it."""

    url: str
    env: dict[str, str]
    home: str
    tls: bool
    pid: int


class McpServer(TypedDict):
    """With --http: where the server is, and its token."""

    url: str
    token: str | None


class StudioLink(TypedDict):
    """The link that lets one browser in."""

    url: str


class Installed(TypedDict):
    """The file that an editor or an agent reads."""

    client: str
    file: str


class Failure(TypedDict):
    """What any command prints where it fails."""

    error: Error


_BATCH = list[claimable_batch.BatchRow]
ANSWERS: dict[str, Any] = {
    **dict.fromkeys(("up", "reset", "fork", "adopt"), Database),
    "status": Status,
    "url": Url,
    "env": dict[str, str],
    "destroy": Destroyed,
    "inspect": (Inspection, InspectedTopic),
    "push": Pushed,
    "pull": Pulled,
    "versions checkpoint": Version,
    "versions list": VersionList,
    "versions preview": Preview,
    **dict.fromkeys(("versions restore", "undo"), Restored),
    **dict.fromkeys(
        (f"{kind} delete" for kind in ("versions", "projects", "branches", "snapshots")), Deleted
    ),
    "claim": Claim,
    "auth login": SignedIn,
    "auth logout": SignedOut,
    "auth status": (SignedIn, Nobody),
    "projects list": list[neon.Project],
    "projects create": neon.CreatedProject,
    "projects recover": neon.Project,
    "branches list": list[neon.Branch],
    "branches create": neon.CreatedBranch,
    **dict.fromkeys(("branches reset", "branches restore"), RestoredBranch),
    "snapshots list": list[neon.Snapshot],
    "snapshots create": neon.CreatedSnapshot,
    "snapshots restore": neon.CreatedBranch,
    "usage": list[neon.ProjectConsumption],
    **dict.fromkeys(
        (f"claimable {name}" for name in ("create", "list", "codes", "delete")), _BATCH
    ),
    "fleet provision": (Provisioned, PlannedProject),
    "fleet list": list[UserProject],
    "fleet tier": TierChange,
    "fleet usage": (Usage, list[Usage], list[Consumption]),
    "fleet migrate": (Migration, list[UserProject]),
    "fleet delete": (*(ProjectDeletion, UserProject, NoProject, Sweep, list[UserProject]),),
    "list": list[Server],
    "logs": Log,
    "stop": Stopped,
    "engine list": list[Engine],
    "engine use": EngineChange,
    "prune": Pruning,
    "serve": Ready,
    "init": Proposal,
    "doctor": Report,
    **dict.fromkeys((f"new {name}" for name in ("django", "fastapi", "provider")), dict[str, str]),
    "studio": StudioLink,
    "mcp": McpServer,
    "mcp install": list[Installed],
}
"""By the words of each command that has ``--json``; several where an option or a state decides."""


def alternatives(command: str) -> tuple[Any, ...]:
    """What a command may print."""
    answer = ANSWERS[command]
    return answer if isinstance(answer, tuple) else (answer,)


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON Schema of all answers: each command's under ``commands``, which `$defs` serve."""
    types = [kind for command in ANSWERS for kind in alternatives(command)] + [Failure]
    made, defs = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    for name, definition in defs.items():
        if definition.get("type") == "object" and "properties" in definition:
            definition["additionalProperties"] = name == "Consumption"
    schemas = iter(made)
    commands = {
        command: {"anyOf": [next(schemas) for _ in alternatives(command)]} for command in ANSWERS
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What neonup's commands print with --json",
        "commands": {name: commands[name] for name in ANSWERS},
        "$defs": defs,
    }


def command_of(words: Sequence[str]) -> str:
    """The command that a command line names."""
    for length in (2, 1):
        if (named := " ".join(words[:length])) in ANSWERS:
            return named
    assert not words or words[0].startswith("-"), f"{words[0]} has no declared answer"
    return "up"


def check(words: Sequence[str], printed: Any) -> None:
    """Compare what a command printed with what it is declared to print."""
    _validator(command_of(words)).validate(printed)


def check_failure(printed: Any) -> None:
    """Compare what a command that failed printed with `Failure`."""
    _validator(None).validate(printed)


@functools.cache
def _validator(command: str | None) -> Draft202012Validator:
    """Of a command's answer; of a failure's for None. To make one takes longer than to use it."""
    failure = {"$ref": "#/$defs/Failure"}
    declared = failure if command is None else schema()["commands"][command]
    whole = {**declared, "$defs": schema()["$defs"]}
    Draft202012Validator.check_schema(whole)
    return Draft202012Validator(whole)


def commands_with(
    option: str,
    command: click.Command = cli,
    context: click.Context | None = None,
    path: tuple[str, ...] = (),
) -> list[str]:
    """The words of each command that has an option; groups that only hold others are none."""
    context = context or click.Context(cli)
    if not isinstance(command, click.Group):
        offered = [name for param in command.get_params(context) for name in param.opts]
        return [" ".join(path)] if option in offered else []
    own = [name for param in command.params for name in param.opts]
    has = [" ".join(path)] if option in own else []
    for name in command.list_commands(context):
        if (child := command.get_command(context, name)) is not None:
            has += commands_with(option, child, click.Context(child, context, name), (*path, name))
    return has

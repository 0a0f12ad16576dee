"""The diagrams of the documentation, as data; ``python -m docsite.diagrams`` draws them."""

from __future__ import annotations

from pathlib import Path

from docsite.drawing import Arrow, Box, Drawing
from docsite.navigation import ROOT

FOUR_WAYS = Drawing(
    width=92,
    height=45,
    title="Which way of integrating with Neon to choose",
    text="Who owns the database in the end? If its user does: with a Neon account already, use OAuth; "
    "without one, a claimable database. If you do: where agents build applications in it, with versions "
    "and tiers, use an agent platform's two organizations; otherwise embedded Postgres, a project per user.",
    boxes=(
        Box(31, 1, 30, 6, "Who owns the database in the end?"),
        Box(6, 13, 32, 6, "Does the user have a Neon account?"),
        Box(54, 13, 32, 6, "Do agents build applications in it?"),
        Box(
            1,
            27,
            21,
            17,
            "Claimable",
            (
                "a database at once,",
                "without an account;",
                "its user takes it later",
                "\u00a0",
                "neonup: claimable,",
                "transfers",
            ),
            "answer",
        ),
        Box(
            24,
            27,
            21,
            17,
            "OAuth",
            (
                "your application acts",
                "in the user's account,",
                "as far as they allow",
                "\u00a0",
                "neonup: Connect for",
                "FastAPI and Django",
            ),
            "answer",
        ),
        Box(
            47,
            27,
            21,
            17,
            "Embedded",
            (
                "a project per user in",
                "your organization,",
                "bounded by a quota",
                "\u00a0",
                "neonup: fleet, tiers,",
                "usage, migrations",
            ),
            "answer",
        ),
        Box(
            70,
            27,
            21,
            17,
            "Agent platform",
            (
                "a free and a paid",
                "organization; snapshots",
                "as versions",
                "\u00a0",
                "neonup: versions,",
                "tier changes",
            ),
            "answer",
        ),
    ),
    arrows=(
        Arrow(((39, 7), (22, 13)), "its user"),
        Arrow(((53, 7), (70, 13)), "you, the platform"),
        Arrow(((16, 19), (11.5, 27)), "no, or not yet"),
        Arrow(((28, 19), (34.5, 27)), "yes"),
        Arrow(((64, 19), (57.5, 27)), "no"),
        Arrow(((76, 19), (80.5, 27)), "yes"),
    ),
)

START = Drawing(
    width=92,
    height=46,
    title="One start",
    text="Settings are resolved, and the recorded database is looked for in the environment, .env.local and "
    ".env. One that is ready is announced; one that is stopped is woken; the user's own is left alone. If "
    "there is none, or it has expired, permission to create is checked: without it the start ends with an "
    "error, with it a database is created under the project's lock, written to .env, migrated and seeded, "
    "and announced.",
    boxes=(
        Box(1, 2, 24, 8, "1 Resolve", ("arguments, variables,", "pyproject.toml, defaults")),
        Box(33, 2, 24, 8, "2 Find", ("the environment,", ".env.local, then .env")),
        Box(65, 2, 26, 8, "3 Check", ("no network, and where it is", "ready, no plugin is loaded")),
        Box(65, 19, 20, 7, "Wake it", ("where it is stopped",)),
        Box(
            33,
            18,
            24,
            9,
            "May one be created?",
            ("a sign of development,", "no sign of production"),
        ),
        Box(1, 18, 24, 9, "An error", ("what was looked at,", "and what to set")),
        Box(
            33,
            34,
            24,
            9,
            "4 Provision, 5 write",
            ("under the project's lock;", ".env whole or not at all"),
        ),
        Box(
            1,
            34,
            24,
            9,
            "Make it ready",
            ("migrations, then the seed;", "finished later if killed"),
        ),
        Box(
            65,
            34,
            26,
            9,
            "6 Announce",
            ("which database, from where,", "how long it lives"),
            "answer",
        ),
    ),
    arrows=(
        Arrow(((25, 6), (33, 6))),
        Arrow(((57, 6), (65, 6)), "one"),
        Arrow(((45, 10), (45, 18)), "none"),
        Arrow(((65, 9), (57, 18)), "expired"),
        Arrow(((75, 10), (75, 19)), "stopped"),
        Arrow(((75, 26), (75, 34))),
        Arrow(((88, 10), (88, 34)), "ready"),
        Arrow(((33, 22.5), (25, 22.5)), "no"),
        Arrow(((45, 27), (45, 34)), "yes"),
        Arrow(((33, 38.5), (25, 38.5))),
        Arrow(((13, 43), (13, 45), (78, 45), (78, 43))),
    ),
)

ENGINE = Drawing(
    width=92,
    height=40,
    title="The provider local",
    text="A program reads DATABASE_URL from .env and connects to 127.0.0.1 on the project's own port. There a "
    "Postgres process of the project answers, with its data directory in NEONUP_HOME. New data directories "
    "are copies of a prepared template; the programs come from a wheel and are copied once. Starts, and "
    "reconnects by adapters, wake a stopped server; upkeep stops it after an idle hour.",
    boxes=(
        Box(2, 3, 24, 8, "Your program", ("any driver",)),
        Box(2, 17, 24, 8, ".env of the project", ("URL, port, password",)),
        Box(2, 29, 24, 8, "neonup", ("a start, a reconnect,", "stop, destroy")),
        Box(
            33,
            1,
            58,
            38,
            "NEONUP_HOME",
            (),
            "part",
        ),
        Box(
            37,
            6,
            24,
            9,
            "Postgres of the project",
            ("127.0.0.1, its own port;", "never as root"),
            "answer",
        ),
        Box(65, 6, 23, 9, "Data directory", ("fsync on; yours until", "neonup destroy")),
        Box(65, 21, 23, 8, "Template", ("initdb once an engine",)),
        Box(37, 21, 24, 8, "Engine", ("programs, copied once", "from a wheel")),
        Box(
            37,
            31,
            51,
            6,
            "Record",
            ("one small file beside the data; lost, it is written again from what is there",),
        ),
    ),
    arrows=(
        Arrow(((14, 17), (14, 11)), "DATABASE_URL"),
        Arrow(((26, 8), (37, 10))),
        Arrow(((61, 10.5), (65, 10.5))),
        Arrow(((76, 21), (76, 15)), "copied for a new project"),
        Arrow(((61, 25), (65, 25))),
        Arrow(((49, 21), (49, 15)), "runs"),
        Arrow(((14, 29), (14, 25)), "writes"),
        Arrow(((26, 33), (37, 34))),
        Arrow(((26, 30), (37, 14)), "wakes, stops"),
    ),
)

LOCAL_NEON = Drawing(
    width=92,
    height=47,
    title="The local Neon, neonup serve",
    text="Clients send requests to the HTTP API, browsers to the console. A change is written to a journal in "
    "SQLite before it is carried out. Programs connect to an endpoint's address; the front holds it, starts "
    "the endpoint's Postgres when somebody connects, moves and counts bytes, and suspends it when idle. Each "
    "branch is a data directory; a branch of it is a copy. Each archives its log, from which any moment of "
    "its history is replayed.",
    boxes=(
        Box(1, 3, 21, 9, "API clients", ("neon, neon-new, neonup,", "your own programs")),
        Box(1, 16, 21, 7, "Browser", ("console, claims, consent",)),
        Box(1, 30, 21, 9, "Postgres clients", ("psql, drivers, TLS", "from end to end")),
        Box(28, 1, 63, 45, "neonup serve", (), "part"),
        Box(32, 5, 22, 8, "HTTP routes", ("API v2, OAuth, agents,", "neon.new, pages")),
        Box(
            62,
            5,
            26,
            8,
            "Journal and state",
            ("SQLite: a change is written", "down, then carried out"),
        ),
        Box(32, 30, 22, 9, "Front", ("holds the address, wakes,", "counts bytes, suspends")),
        Box(62, 18, 26, 8, "A branch", ("a data directory,", "stock Postgres on it"), "answer"),
        Box(62, 31, 26, 7, "A branch of it", ("a copy, reflinked if possible",), "answer"),
        Box(32, 18, 22, 8, "Archive of the log", ("each branch its own;", "moments are replayed")),
        Box(32, 41, 56, 4, "Quotas, usage, schedules, expiry: by a clock that tests can move"),
    ),
    arrows=(
        Arrow(((22, 8), (32, 8))),
        Arrow(((22, 19), (32, 12))),
        Arrow(((54, 9), (62, 9))),
        Arrow(((75, 13), (75, 18)), "carried out"),
        Arrow(((22, 34.5), (32, 34.5))),
        Arrow(((54, 31), (62, 25)), "starts"),
        Arrow(((54, 35), (62, 35))),
        Arrow(((75, 26), (75, 31)), "copied while it runs"),
        Arrow(((62, 22), (54, 22)), "WAL"),
    ),
)

DRAWINGS = {
    "four-ways": FOUR_WAYS,
    "start": START,
    "engine": ENGINE,
    "local-neon": LOCAL_NEON,
}


def path(name: str) -> Path:
    """Where a diagram is."""
    return ROOT / "docs" / "images" / f"{name}.svg"


if __name__ == "__main__":
    for name, drawing in DRAWINGS.items():
        path(name).write_text(drawing.svg(), "utf-8")

"""The demo's two stories: a local database, then the claimable flow against a local Neon."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from demo.stage import Stage


def local_database(stage: Stage) -> None:
    """An empty folder gets a database, asks it something, and finds it again."""
    stage.title("A real Postgres, the moment a project needs one")
    stage.enter("shop")
    stage.run("neonup", "-y")
    stage.show_env()
    stage.say("It answers:")
    stage.run("neonup", "psql", "--", "-c", "SELECT 6 * 7 AS answer, current_database()")
    stage.say("The next start finds it again, and so does any program that reads .env:")
    stage.run("neonup", "-y")
    stage.run("neonup", "list")


def claimable_database(stage: Stage) -> None:
    """The same command against a Neon: a countdown, a code, and a claim."""
    stage.title("The claimable flow, against a Neon on this machine")
    stage.serve()
    stage.enter("blog")
    stage.run("neonup", "-y")
    stage.show_env()
    stage.say("A code that moves it into an account, and the page for it:")
    printed = stage.run("neonup", "claim", "--no-open", "--no-wait")
    stage.say("Someone signs in there and enters the code; without a browser that is:")
    stage.claim(printed)
    stage.run("neonup", "status")
    stage.say("Claimed. All of this was stock Postgres on this machine; no network was used.")


def main() -> int:
    """Tell both; whatever happens, stop and remove everything."""
    signal.signal(signal.SIGTERM, _end)
    with Stage() as stage:
        try:
            local_database(stage)
            claimable_database(stage)
        except KeyboardInterrupt:
            stage.say("Interrupted.")
            return 130
    return 0


def _end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

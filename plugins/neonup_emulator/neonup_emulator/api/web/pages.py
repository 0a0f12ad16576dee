"""All pages."""

from __future__ import annotations

from starlette.routing import Route

from neonup_emulator.api.web import (
    agent_claim_page,
    changes,
    claim_page,
    connect_page,
    console,
    project_page,
    query_page,
    restore_page,
    sign_in,
    transfer_page,
)


def routes() -> list[Route]:
    """Those that need who is signed in."""
    rooms = (
        sign_in,
        console,
        project_page,
        changes,
        restore_page,
        connect_page,
        query_page,
        transfer_page,
        agent_claim_page,
        claim_page,
    )
    return [route for room in rooms for route in room.routes()]

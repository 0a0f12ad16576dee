"""The claim page of platforms: a project that its owner gives to whoever has the link."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from anyio import to_thread
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_emulator.api.web import session
from neonup_emulator.api.web.page import message, page, to_sign_in
from neonup_emulator.neon import projects
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import Organization
from neonup_emulator.neon.claimable import holding
from neonup_emulator.neon.errors import Gone, Locked, NotFound, Refused
from neonup_emulator.neon.transfer import transfer_requests
from neonup_emulator.neon.transfer.transfer_requests import Offer
from neonup_pages import forms

_PATH, _DONE = "/app/claim", "/app/claimed"
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
_WEB = re.compile(r"https?://[\x21-\x7e]{1,2000}", re.IGNORECASE)


def routes() -> list[Route]:
    """The page, and the one that comes after it where the link leads nowhere else."""
    return [
        Route(_PATH, _show, methods=["GET"], name="transfer"),
        Route(_PATH, _accept, methods=["POST"]),
        Route(_DONE, _done, methods=["GET"]),
    ]


@dataclass(frozen=True)
class Link:
    """What a claim link says.

    Args:
        project_id: `p`.
        request_id: `tr`.
        back: `ru`, where the platform wants the new owner to go afterwards.
    """

    project_id: str
    request_id: str
    back: str

    @property
    def path(self) -> str:
        """The link itself, on this server."""
        known = {"p": self.project_id, "tr": self.request_id, "ru": self.back}
        return f"{_PATH}?{urlencode({name: value for name, value in known.items() if value})}"

    def origin(self) -> str | None:
        """The origin of the page to go to afterwards; None where the link names no web page."""
        return web_origin(self.back)


async def _show(request: Request) -> Response:
    """Which project it is, who gives it, and for which organization it is claimed."""
    caller = session.caller(request)
    if caller is None:
        return to_sign_in(request)
    return await _offer(request, caller, _link(request.query_params))


async def _accept(request: Request) -> Response:
    """Accept the transfer for the chosen organization."""
    fields = await forms.read(request)
    link, neon = _link(fields), session.neon_of(request)
    caller = session.caller(request)
    if caller is None:
        return RedirectResponse(link.path, 303)  # it leads to the sign-in page, and back
    org_id = forms.text(fields, "org_id") or None

    def accept() -> bool:
        ids = link.project_id, link.request_id
        is_agents = holding.holds(transfer_requests.look(neon, *ids).project)
        transfer_requests.accept(neon, caller, *ids, org_id)
        return is_agents

    try:
        is_agents = await to_thread.run_sync(accept)
    except Refused as refused:
        return await _offer(request, caller, link, refused)
    if link.origin():
        return RedirectResponse(link.back, 303)
    shown = {"p": link.project_id} | ({"of": "agent"} if is_agents else {})
    return RedirectResponse(f"{_DONE}?{urlencode(shown)}", 303)


async def _done(request: Request) -> Response:
    """The page after a transfer; only the new owner sees the project on it."""
    caller = session.caller(request)
    if caller is None:
        return to_sign_in(request)
    neon, id_ = session.neon_of(request), request.query_params.get("p", "")
    project = await to_thread.run_sync(projects.find, neon, caller, id_)
    organization = neon.people.organization(project.org_id)
    is_agents = request.query_params.get("of") == "agent"
    template = "agent_claimed.html" if is_agents else "transferred.html"
    return page(request, template, project=project, organization=organization)


async def _offer(
    request: Request, caller: Caller, link: Link, refused: Refused | None = None
) -> Response:
    """The offer, with what came of pressing the button where that did not work."""
    neon = session.neon_of(request)

    def look() -> tuple[Offer, list[Organization]]:
        offer = transfer_requests.look(neon, link.project_id, link.request_id)
        others = transfer_requests.destinations(neon, caller.user)
        return offer, [one for one in others if one.id != offer.project.org_id]

    try:
        offer, organizations = await to_thread.run_sync(look)
    except (NotFound, Gone) as nothing:
        return _nothing(request, nothing)
    origin = link.origin()
    return page(
        request,
        "transfer.html",
        status=refused.status if refused else 200,
        form_targets=(origin,) if origin else (),
        is_agents=holding.holds(offer.project),
        link=link,
        offer=offer,
        organizations=organizations,
        expires=_when(offer.request.expires_at),
        error=_error(refused),
        back=origin.partition("://")[2] if origin else None,
    )


def _nothing(request: Request, refused: Refused) -> Response:
    title = "There is no such offer" if refused.status == 404 else "This link cannot be used"
    text = f"{refused.message[:1].upper()}{refused.message[1:]}."
    hint = " Ask whoever gave you the link for another one." if refused.status == 404 else ""
    return message(request, title, text + hint, status=refused.status)


def _error(refused: Refused | None) -> str:
    if refused is None:
        return ""
    hint = " Try again in a moment." if isinstance(refused, Locked) else ""
    return f"{refused.message[:1].upper()}{refused.message[1:]}.{hint}"


def _link(values: QueryParams | FormData) -> Link:
    link = {}
    for name in ("p", "tr", "ru"):
        value = values.get(name)
        link[name] = value.strip() if isinstance(value, str) else ""
    return Link(link["p"], link["tr"], link["ru"])


def web_origin(url: str) -> str | None:
    """Scheme, host and port of a web page's address, fit for a content security policy.

    None for any other address, and for one with a name or password in it: it would look like
    another host's.
    """
    if not _WEB.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    host = f"[{host}]" if ":" in host else host
    if "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def _when(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"

"""A visit to a page of the console: the user, what they may see, and notices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from anyio import to_thread
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from neonup_emulator.api.web import session
from neonup_emulator.api.web.page import page, to_sign_in
from neonup_emulator.neon import branches, projects
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Conflict, Locked, Refused, Unprocessable
from neonup_emulator.neon.model import Branch, Project
from neonup_pages import forms


@dataclass(frozen=True)
class ConsoleVisit:
    """A request of somebody who is signed in.

    Args:
        fields: of the form that was sent; empty where none was.
        least: the permission that it takes for the project that the address names.
    """

    request: Request
    neon: LocalNeon
    caller: Caller
    fields: FormData
    least: Level

    @property
    def project(self) -> Project:
        """The project that the address names.

        Raises:
            NotFound: the caller reaches none of that id.
            Forbidden: their permission is not enough.
        """
        id_ = self.request.path_params["project_id"]
        return projects.find_for(self.neon, self.caller, id_, self.least)

    @property
    def branch(self) -> Branch:
        """The branch that the address names.

        Raises:
            NotFound: the project has no branch with that id.
        """
        return branches.find(self.neon, self.project, self.request.path_params["branch_id"])

    def text(self, name: str) -> str:
        """A field of the form; empty where it was not sent."""
        return forms.text(self.fields, name)

    def asked(self, name: str) -> str:
        """A parameter of the address; empty where there is none."""
        return self.request.query_params.get(name, "").strip()


def _of(request: Request, fields: FormData, least: Level) -> ConsoleVisit | None:
    caller = session.caller(request)
    if caller is None:
        return None
    return ConsoleVisit(request, session.neon_of(request), caller, fields, least)


def shows(
    make: Callable[[ConsoleVisit], Response], *, least: Level = Level.VIEWER
) -> Callable[[Request], Awaitable[Response]]:
    """A handler that shows a page to users who are signed in; others get the sign-in page.

    Args:
        least: the permission that it takes for the project, if the address names one.
    """

    async def answer(request: Request) -> Response:
        visit = await to_thread.run_sync(_of, request, FormData(), least)
        if visit is None:
            return to_sign_in(request)
        return await to_thread.run_sync(make, visit)

    return answer


def does(
    make: Callable[[ConsoleVisit], Response], *, back: str = "/", least: Level = Level.EDITOR
) -> Callable[[Request], Awaitable[Response]]:
    """A handler that carries out a form; a refusal is shown on the page that `back` names.

    Args:
        back: a path, with the parameters of the form's address.
        least: the permission that it takes for the project, if the address names one.
    """

    async def answer(request: Request) -> Response:
        fields = await forms.read(request)
        visit = await to_thread.run_sync(_of, request, fields, least)
        if visit is None:
            return RedirectResponse(request.url_for("sign_in").path, 303)
        try:
            return await to_thread.run_sync(make, visit)
        except (Conflict, Locked, Unprocessable) as refused:
            forms.tell(request, refused.message, wrong=True)
        except Refused as refused:
            if refused.status != 400:
                raise
            forms.tell(request, refused.message, wrong=True)
        return RedirectResponse(back.format(**request.path_params), 303)

    return answer


def show(visit: ConsoleVisit, name: str, *, status: int = 200, **values: Any) -> Response:
    """A page of the console, with the notice, if there is one."""
    return page(
        visit.request, name, status=status, notice=forms.take_notice(visit.request), **values
    )

"""The kept states of the database as a timeline: keep it, look into one, go back to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.responses import RedirectResponse, Response

from neonup import NeonupError, Restored, Version, VersionBranch, Versions
from neonup.plugin.project import restore
from neonup_studio import copies, places, timeline
from neonup_studio.pages import versions_asked
from neonup_studio.visit import NoSuchPage, PageRefused, Pages, Visit, does, shows

TAB = "versions"
_GONE = "It is not there any more: somebody has deleted it meanwhile."
_BUSY = "The database is being brought back, which another tab has asked for. Try again afterwards."
_CHANGED = (
    "Something was kept, deleted or brought back since you were asked. Read again what will happen."
)


def routes() -> Pages:
    """The timeline, its forms, and what is asked before something is lost."""
    return [
        ("GET", "versions", shows(_timeline)),
        ("POST", "versions", does(_keep)),
        ("POST", "versions/{version}/look", does(_look)),
        ("GET", "versions/{version}/restore", shows(_ask_restore)),
        ("POST", "versions/{version}/restore", does(_restore)),
        ("GET", "versions/{version}/delete", shows(_ask_delete)),
        ("POST", "versions/{version}/delete", does(_delete)),
        ("POST", "copies", does(_copy)),
        ("GET", "copies/{copy}/delete", shows(_ask_delete_copy)),
        ("POST", "copies/{copy}/delete", does(_delete_copy)),
    ]


def _timeline(visit: Visit) -> Response:
    if not visit.place.is_main:
        return visit.show("versions_elsewhere.html", TAB)
    try:
        versions = visit.studio.versions()
        history, branches = versions.history(), copies.present(versions, visit.studio.now())
    except NeonupError as error:
        return visit.show("versions_none.html", TAB, error=error)
    first = visit.asked("from")
    search = visit.asked("search").strip()
    return visit.show(
        "versions.html",
        TAB,
        history=history,
        shown=timeline.arrange(history, search=search, first=int(first) if _number(first) else 0),
        search=search,
        latest=timeline.latest(history),
        branches=branches,
        address=places.branch_segment,
        keeper=timeline.keeper,
        name=visit.asked("name"),
        hours=copies.HOURS,
        page=timeline.PAGE,
    )


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9


def _keep(visit: Visit) -> Response:
    versions = _changeable(visit)
    name = visit.text("name")
    try:
        made = versions.checkpoint(name or None)
    except NeonupError as error:
        visit.tell(_said(error), wrong=True)
        return visit.to("versions", name=name)
    visit.tell(f"The database is kept as {made.name}.")
    return visit.to("versions")


def _look(visit: Visit) -> Response:
    versions = _changeable(visit)
    version = _version(visit, versions.history())
    if version is None:
        return _missing(visit)
    made = visit.studio.copies
    return _into(visit, lambda: made.of_version(versions, version, visit.studio.now()))


def _copy(visit: Visit) -> Response:
    versions = _changeable(visit)
    return _into(visit, lambda: copies.of_now(versions, visit.studio.now()))


def _into(visit: Visit, make: Callable[[], VersionBranch]) -> Response:
    try:
        made = make()
    except NeonupError as error:
        visit.tell(_said(error), wrong=True)
        return visit.to("versions")
    return RedirectResponse(f"/{places.branch_segment(made.id)}", 303)


def _ask_restore(visit: Visit) -> Response:
    history = _changeable(visit).history()
    version = _version(visit, history)
    if version is None:
        return _missing(visit)
    asked = versions_asked.restore(visit.place, version, visit.studio.now())
    return visit.show("versions_ask.html", TAB, asked=asked, seen=timeline.newest(history))


def _restore(visit: Visit) -> Response:
    versions = _changeable(visit)
    with visit.studio.copies.changing() as free:
        if not free:
            raise PageRefused(_BUSY, 409)
        history = versions.history()
        version = _version(visit, history)
        if version is None:
            return _missing(visit)
        if visit.text("seen") != timeline.newest(history):
            visit.tell(_CHANGED, wrong=True)
            return visit.to("versions", version.id, "restore")
        visit.studio.connections.close_idle(every=True)
        try:
            done = restore(visit.studio.settings, versions, version)
        except NeonupError as error:
            visit.tell(_said(error), wrong=True)
        else:
            visit.tell(_done(visit, done))
    return visit.to("versions")


def _done(visit: Visit, done: Restored) -> str:
    back = f"{visit.place.title} is back at {done.name}."
    if done.before is not None:
        return f"{back} What there was before is kept as {done.before.name}."
    if done.kept_branch is not None:
        return f"{back} What there was before is on the branch {done.kept_branch}."
    return back


def _ask_delete(visit: Visit) -> Response:
    version = _version(visit, _changeable(visit).history())
    if version is None:
        return _missing(visit)
    asked = versions_asked.delete(version, visit.studio.now())
    return visit.show("versions_ask.html", TAB, asked=asked, seen="")


def _delete(visit: Visit) -> Response:
    versions = _changeable(visit)
    version = _version(visit, versions.history())
    if version is None:
        return _missing(visit)
    return _deleted(visit, version.name, lambda: versions.delete(version))


def _ask_delete_copy(visit: Visit) -> Response:
    branch = _branch(visit, _changeable(visit))
    if branch is None:
        return _missing(visit)
    asked = versions_asked.delete_copy(branch, visit.studio.now())
    return visit.show("versions_ask.html", TAB, asked=asked, seen="")


def _delete_copy(visit: Visit) -> Response:
    versions = _changeable(visit)
    branch = _branch(visit, versions)
    if branch is None:
        return _missing(visit)
    visit.studio.connections.close_idle(every=True)
    return _deleted(visit, branch.name, lambda: versions.delete_branch(branch))


def _deleted(visit: Visit, name: str, delete: Callable[[], None]) -> Response:
    try:
        delete()
    except NeonupError as error:
        visit.tell(_said(error), wrong=True)
    else:
        visit.tell(f"{name} is deleted.")
    return visit.to("versions")


def _changeable(visit: Visit) -> Versions:
    """The versions, where they may be changed; only the project's own database has any."""
    if not visit.place.is_main:
        raise NoSuchPage("This database has no versions.")
    visit.check_writable()
    return visit.studio.versions()


def _version(visit: Visit, history: Sequence[Version]) -> Version | None:
    wanted = visit.part("version")
    return next((version for version in history if version.id == wanted), None)


def _branch(visit: Visit, versions: Versions) -> VersionBranch | None:
    wanted = visit.part("copy")
    branches = copies.present(versions, visit.studio.now())
    return next((branch for branch in branches if branch.id == wanted), None)


def _missing(visit: Visit) -> Response:
    visit.tell(_GONE, wrong=True)
    return visit.to("versions")


def _said(error: NeonupError) -> str:
    return " ".join(filter(None, (error.message, error.remedy)))

"""The databases of failed tests, each of which opens like any other."""

from __future__ import annotations

from starlette.responses import Response

from neonup_studio import kept_tests
from neonup_studio.visit import Pages, Visit, shows


def routes() -> Pages:
    """The list."""
    return [("GET", "tests", shows(_list))]


def _list(visit: Visit) -> Response:
    tests = [
        (f"/{kept_tests.segment_of(kept)}", kept_tests.title_of(kept), kept)
        for kept in kept_tests.listed(visit.studio.settings)
    ]
    leads_back = not visit.place.is_main and visit.studio.recorded() is not None
    return visit.show("tests.html", "tests", tests=tests, leads_back=leads_back)

"""Statements that somebody types, and what they answer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from starlette.responses import Response

from neonup import libpq
from neonup_pages import forms, query_box
from neonup_pages.query_box import Explaining, RunLimits
from neonup_pages.query_outcome import Problem, StatementOutcome
from neonup_studio import plan as plans
from neonup_studio.plan import PlanTree, words
from neonup_studio.plan.text import text as plan_text
from neonup_studio.server import connections
from neonup_studio.server.running_queries import RunKey
from neonup_studio.visit import Pages, Visit, does, shows

SECONDS = {10: "10 s", 60: "1 min", 600: "10 min"}
"""How long a query may run, by choice."""
ROWS = (query_box.ROWS, 1000, 5000)
"""How many rows of a result are shown, by choice."""
_EXPLAINING = {"plan": Explaining.PLAN, "analyze": Explaining.RUN}
_LONGEST_PLAN = 8_000_000
"""Characters of its JSON."""


def routes() -> Pages:
    """The page and its forms."""
    return [
        ("GET", "query", shows(_ask)),
        ("POST", "query", does(_run)),
        ("POST", "query/cancel", does(_cancel)),
        ("POST", "query/clear", does(_clear)),
    ]


@dataclass(frozen=True)
class QueryForm:
    """What was typed and chosen.

    Args:
        query: the statements.
        read_only: whether nothing may be changed.
        seconds: one of `SECONDS`.
        rows: one of `ROWS`.
        explain: whether only the plan is asked for, and which.
    """

    query: str
    read_only: bool = True
    seconds: int = query_box.SECONDS
    rows: int = query_box.ROWS
    explain: Explaining | None = None

    @staticmethod
    def of(visit: Visit) -> QueryForm:
        """The form that was sent; what is not among the choices is the first of them."""
        return QueryForm(
            str(visit.fields.get("query") or "").replace("\r\n", "\n"),
            bool(visit.text("read_only")),
            next((each for each in SECONDS if str(each) == visit.text("seconds")), 10),
            next((each for each in ROWS if str(each) == visit.text("rows")), ROWS[0]),
            _EXPLAINING.get(visit.text("action")),
        )

    @property
    def limits(self) -> RunLimits:
        """What they mean for the run."""
        if self.explain:
            return RunLimits(1, self.seconds, cell=_LONGEST_PLAN, told=True)
        return RunLimits(self.rows, self.seconds, told=True)


def _ask(visit: Visit) -> Response:
    past = visit.studio.history.find(visit.asked("past")) if visit.asked("past") else None
    return _page(visit, QueryForm(past.query if past else visit.asked("query")))


def _run(visit: Visit) -> Response:
    form = QueryForm.of(visit)
    if not form.read_only:
        visit.check_writable()
    arguments = connections.arguments(visit.place.url, own=visit.place.own)
    key = _key(visit)
    with libpq.service_hidden(visit.place.own), visit.studio.running.running(key) as switch:
        outcome = query_box.run(
            arguments,
            form.query,
            read_only=form.read_only,
            explain=form.explain,
            limits=form.limits,
            switch=switch,
        )
    visit.studio.history.add(
        form.query,
        where=visit.place.title,
        milliseconds=outcome.milliseconds,
        answer="" if form.explain or not outcome.results else outcome.results[-1].tag,
        error=outcome.problem.message if outcome.problem else "",
        kind=visit.text("action") if form.explain else "run",
    )
    return _page(visit, form, outcome)


def _cancel(visit: Visit) -> Response:
    """Cancel a query of this session; the page that awaits its answer stays."""
    return Response(status_code=204 if visit.studio.running.cancel(_key(visit)) else 404)


def _key(visit: Visit) -> RunKey:
    return forms.csrf_token(visit.request), visit.text("run")


def _clear(visit: Visit) -> Response:
    visit.studio.history.clear()
    visit.tell("The history is empty.")
    return visit.to("query")


def _page(visit: Visit, form: QueryForm, outcome: StatementOutcome | None = None) -> Response:
    plan = None
    if form.explain and outcome is not None:
        plan, outcome = _planned(outcome)
    return visit.show(
        "query.html",
        "query",
        form=form,
        outcome=outcome,
        plan=plan,
        text="" if plan is None else plan_text(plan),
        undone=form.explain is Explaining.RUN and not form.read_only,
        words=words,
        run=secrets.token_urlsafe(8),
        history=visit.studio.history.statements(),
        seconds=SECONDS,
        rows=ROWS,
    )


def _planned(outcome: StatementOutcome) -> tuple[PlanTree | None, StatementOutcome]:
    """The plan in an answer, and what else is in it."""
    answer = next((row for result in outcome.results for row in result.rows), None)
    problem, plan = outcome.problem, None
    if problem is None and answer is not None:
        try:
            plan = plans.read(answer[0] or "")
        except ValueError:
            problem = Problem("This plan cannot be shown: it is too large, or none.")
    return plan, StatementOutcome([], problem, outcome.milliseconds, outcome.notices)

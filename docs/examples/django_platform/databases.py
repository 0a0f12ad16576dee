"""Each user of this site has a Postgres database of their own, at Neon.

With NEON_API_KEY and NEON_ORG_ID of your organization, or with those of `neonup serve`:

    pip install neonup django
    python databases.py runserver
"""

import os
import secrets
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DEBUG=True,
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        f"{__name__}.refusals",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("SECRET_KEY", secrets.token_hex()),
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    USE_TZ=True,
)

from django.core.management import execute_from_command_line  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402
from django.views.decorators.csrf import ensure_csrf_cookie  # noqa: E402
from django.views.decorators.http import require_GET, require_POST  # noqa: E402

from neonup import NeonupError  # noqa: E402
from neonup_cloud import NeonClient  # noqa: E402
from neonup_cloud.fleets import declared, errors  # noqa: E402

WAIT = timedelta(days=30)
STATUS = {errors.NoProject: 404, errors.DeletionPending: 409, errors.ProjectGone: 410}

fleet = declared(NeonClient())


def user(request: HttpRequest) -> str:
    # Here every browser is a user of its own. A site with a login has str(request.user.pk).
    return str(request.session.setdefault("user", str(uuid4())))


@method_decorator(ensure_csrf_cookie, name="get")
class Database(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        kept = request.session.get("project_id")
        project = fleet.provision(user(request), "free", project_id=kept)
        request.session["project_id"] = project.project_id
        return JsonResponse({"tier": project.tier, "created": project.created})

    def get(self, request: HttpRequest) -> HttpResponse:
        used = fleet.usage(user(request))
        amounts = {name: one.amount for name, one in used.figures.items()}
        return JsonResponse({"tier": used.project.tier, **amounts})

    def delete(self, request: HttpRequest) -> HttpResponse:
        deletion = fleet.delete(user(request), wait=WAIT)
        return JsonResponse({"due": deletion.due if deletion else None})


@require_GET
def url(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"url": fleet.connection(user(request))})


@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"lifecycle": fleet.undelete(user(request)).lifecycle})


def refusals(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """A middleware: what neonup refuses, as an answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, NeonupError):
            return JsonResponse({"error": error.code}, status=STATUS.get(type(error), 503))
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


urlpatterns = [
    path("database", Database.as_view()),
    path("database/url", url),
    path("database/keep", keep),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)

"""Users of this site connect their own Neon accounts: to list projects, and create one.

Registered at Neon with the callback http://127.0.0.1:8000/neon/callback. Then, with its id and
secret in NEON_CLIENT_ID and NEON_CLIENT_SECRET:

    pip install "neonup[cloud,django]"
    python projects.py runserver
"""

import os
import secrets
import sys
from pathlib import Path
from uuid import uuid4

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DEBUG=True,
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("SECRET_KEY", secrets.token_hex()),
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)

from django.core.management import execute_from_command_line  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.shortcuts import redirect  # noqa: E402
from django.template import RequestContext, Template  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.http import require_POST  # noqa: E402

from neonup_cloud.oauth import Application, FileTokens, scopes  # noqa: E402
from neonup_cloud.web.django import Account  # noqa: E402

PAGE = """<!doctype html><title>My projects</title><h1>My projects</h1>
{% if connected %}
<ul id="projects">{% for project in projects %}<li>{{ project.name }}</li>{% endfor %}</ul>
<form method="post" action="{% url 'create' %}">{% csrf_token %}
<label>Name <input id="name" name="name" required></label>
<button id="create">Create a project</button></form>
<form method="post" action="{% url 'neon_account:disconnect' %}">{% csrf_token %}
<button id="disconnect">Disconnect Neon</button></form>
{% else %}
<form method="post" action="{% url 'neon_account:connect' %}">{% csrf_token %}
<button id="connect">Connect Neon</button></form>
{% endif %}"""


def tokens(request: HttpRequest) -> FileTokens:
    # Here every browser is a user of its own. A site with a login has request.user.pk instead.
    user = request.session.setdefault("user", str(uuid4()))
    return FileTokens(Path(os.environ.get("TOKENS", "tokens")) / f"{user}.json")


account = Account(
    Application(
        os.environ["NEON_CLIENT_ID"],
        redirect_uri=os.environ.get("CALLBACK", "http://127.0.0.1:8000/neon/callback"),
        client_secret=os.environ["NEON_CLIENT_SECRET"],
        scopes=(
            scopes.OPENID,
            *scopes.OFFLINE,
            scopes.PROJECTS_READ,
            scopes.PROJECTS_CREATE,
        ),
    ),
    tokens,
    after="home",
)


def home(request: HttpRequest) -> HttpResponse:
    with account.client(request) as neon:
        shown = {"connected": neon is not None, "projects": neon and list(neon.projects.list())}
    return HttpResponse(Template(PAGE).render(RequestContext(request, shown)))


@require_POST
def create(request: HttpRequest) -> HttpResponse:
    with account.client(request) as neon:
        if neon is not None:
            neon.projects.create(name=request.POST["name"])
    return redirect("home")


urlpatterns = [
    path("", home, name="home"),
    path("projects", create, name="create"),
    path("neon/", account.urls),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)

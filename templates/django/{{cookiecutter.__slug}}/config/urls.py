"""What is served where."""

from django.contrib import admin
from django.urls import {% if cookiecutter.frontend == "HTMX" %}include, {% endif %}path
{% if cookiecutter.frontend == "API" %}
from ninja import NinjaAPI

from notes.api import router

api = NinjaAPI(title="{{ cookiecutter.project_name }}")
api.add_router("/notes", router)
{% endif %}

urlpatterns = [
    path("admin/", admin.site.urls),
{% if cookiecutter.frontend == "API" %}
    path("api/", api.urls),
{% else %}
    path("", include("notes.urls")),
{% endif %}
]

"""Where the pages are."""

from django.urls import path

from notes import views

app_name = "notes"
urlpatterns = [
    path("", views.index, name="index"),
    path("add", views.add, name="add"),
    path("<int:note_id>/delete", views.delete, name="delete"),
]

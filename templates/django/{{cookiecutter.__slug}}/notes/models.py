"""The tables."""

from django.db import models
from django.db.models.functions import Now


class Note(models.Model):
    """A note; the newest comes first."""

    text = models.CharField(max_length=500)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.text

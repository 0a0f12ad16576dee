"""The user, Django's own so far: a class of one's own is hard to bring in later."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Somebody with an account."""

"""Ids, names and passwords of Neon's form."""

from __future__ import annotations

import secrets
import string

_ADJECTIVES = (
    "autumn", "bitter", "bold", "calm", "cold", "cool", "crimson", "damp", "dawn", "dry", "fancy",
    "flat", "frosty", "gentle", "green", "hidden", "late", "lively", "long", "misty", "muddy",
    "noisy", "odd", "old", "patient", "plain", "proud", "quiet", "rapid", "red", "round", "royal",
    "shy", "silent", "small", "snowy", "soft", "still", "summer", "sweet", "twilight", "weathered",
    "white", "wild", "winter", "wispy", "young",
)  # fmt: skip
_NOUNS = (
    "art", "bar", "base", "bird", "block", "boat", "bread", "breeze", "brook", "bush", "cake",
    "cell", "cherry", "cloud", "credit", "darkness", "dew", "disk", "dream", "dust", "feather",
    "field", "fire", "firefly", "flower", "fog", "forest", "frog", "frost", "glade", "glitter",
    "grass", "haze", "hill", "king", "lab", "lake", "leaf", "limit", "math", "meadow", "mode",
    "moon", "morning", "mountain", "mouse", "mud", "night", "paper", "pine", "poetry", "pond",
    "rain", "recipe", "resonance", "rice", "river", "salad", "scene", "sea", "shadow", "shape",
    "silence", "sky", "smoke", "snow", "sound", "star", "sun", "sunset", "surf", "term", "thunder",
    "tree", "truth", "union", "unit", "violet", "voice", "water", "wave", "wildflower", "wind",
    "wood",
)  # fmt: skip
_SHORT = string.ascii_lowercase + string.digits
_PASSWORD = string.ascii_letters + string.digits


def _words() -> str:
    return f"{secrets.choice(_ADJECTIVES)}-{secrets.choice(_NOUNS)}"


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def project() -> str:
    """For example ``cool-breeze-12345678``."""
    return f"{_words()}-{_random(string.digits, 8)}"


def organization() -> str:
    """For example ``org-cool-breeze-12345678``."""
    return f"org-{project()}"


def branch() -> str:
    """For example ``br-cool-breeze-a1b2c3d4``."""
    return f"br-{_words()}-{_random(_SHORT, 8)}"


def endpoint() -> str:
    """For example ``ep-cool-breeze-a1b2c3d4``."""
    return f"ep-{_words()}-{_random(_SHORT, 8)}"


def snapshot() -> str:
    """For example ``snap-cool-breeze-a1b2c3d4``."""
    return f"snap-{_words()}-{_random(_SHORT, 8)}"


def slug() -> str:
    """A snapshot's slug, for example ``cool-breeze-a1b2c3d4``."""
    return f"{_words()}-{_random(_SHORT, 8)}"


def cluster() -> str:
    """A folder's name, for example ``k3f9x2m7q1zd``."""
    return _random(_SHORT, 12)


def password() -> str:
    """A role's password, in a form that needs no quoting anywhere."""
    return f"npg_{_random(_PASSWORD, 20)}"


def api_key() -> str:
    """A key of the API; only its hash is kept."""
    return f"napi_{_random(_SHORT, 64)}"

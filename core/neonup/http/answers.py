"""What an answer says, in JSON."""

from __future__ import annotations

import json

from neonup.http.calls import Response


def error_fields(
    reply: Response, names: tuple[str, ...], *, within: str | None = None
) -> dict[str, str]:
    """Texts of a failed answer's JSON object, by name, ready to be shown; at most 300 characters.

    What is not a text is left out, and so is all of an answer of another form.

    Args:
        reply: the answer.
        names: of the texts.
        within: the name of the object inside that has them; None: it is the answer itself.
    """
    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    if within is not None and isinstance(content, dict):
        content = content.get(within)
    if not isinstance(content, dict):
        return {}
    return {
        name: "".join(c if c.isprintable() else " " for c in text)[:300]
        for name in names
        if isinstance(text := content.get(name), str) and text
    }


def explanation(reply: Response) -> str:
    """What a failed answer says of itself, ready to be appended to a message; or nothing."""
    texts = error_fields(reply, ("message", "error", "hint")).values()
    shown = "; ".join(dict.fromkeys(texts))[:300]
    return f": {shown}" if shown else ""

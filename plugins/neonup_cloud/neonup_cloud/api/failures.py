"""Which error a failed request to Neon's API is, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping

from neonup.plugin.http import Failure, Outcome, Request, Service, error_fields, failed
from neonup_cloud.api import errors

REMEDIES: Mapping[type[errors.NeonError], str] = {
    errors.Unauthorized: "Set NEON_API_KEY to a key that is valid, or sign in: neonup auth login",
    errors.AnswerLost: "It may have been carried out. Look before you try again.",
    errors.Locked: "Another change of this project is under way. Try again when it has ended.",
}


def error_of(service: Service, request: Request, outcome: Outcome) -> errors.NeonError:
    """The error of a request that Neon refused, or did not answer."""
    reply = outcome.reply
    if isinstance(reply, Failure):
        lost = reply.sent and not request.repeatable
        kind: type[errors.NeonError] = errors.AnswerLost if lost else errors.Unavailable
        remedy = REMEDIES.get(kind, service.remedy)
        return failed(service, request, outcome, reason="", kind=kind, remedy=remedy)
    fields = error_fields(reply, ("code", "message", "request_id"))
    code, request_id = fields.get("code"), fields.get("request_id")
    kind = errors.class_of(reply.status, code)
    if kind is errors.Unavailable and not request.repeatable:
        kind = errors.AnswerLost
    message = fields.get("message", "no reason was given").rstrip(".")
    return failed(
        service,
        request,
        outcome,
        reason=f"{message} (status {reply.status}{f', {code}' if code else ''})",
        kind=kind,
        checked=(f"request id {request_id}",) if request_id else (),
        remedy=REMEDIES.get(kind, service.remedy if reply.status >= 500 else None),
        api_code=code,
        request_id=request_id,
    )

"""Requests to a service, defined once and sent blocking or awaited; repeated where that is safe."""

from __future__ import annotations

from neonup.http.calls import Call, Failure, Pause, Request, Response
from neonup.http.retry import Outcome, Policy, Service, attempt, error_fields, failed
from neonup.http.run import adrive, drive, run
from neonup.http.transport import AsyncSender, Sender
from neonup.providers import validation

__all__ = [
    "AsyncSender",
    "Call",
    "Failure",
    "Outcome",
    "Pause",
    "Policy",
    "Request",
    "Response",
    "Sender",
    "Service",
    "adrive",
    "attempt",
    "drive",
    "error_fields",
    "failed",
    "run",
    "validation",
]

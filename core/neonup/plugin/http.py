"""Requests to a service, defined once and sent blocking or awaited; repeated where that is safe."""

from __future__ import annotations

from neonup.http.calls import Call, Failure, Pause, Request, Response, masked
from neonup.http.retry import Outcome, Policy, Service, attempt, error_fields, failed
from neonup.http.run import BlockingSender, drive, run
from neonup.providers import validation

__all__ = [
    "BlockingSender",
    "Call",
    "Failure",
    "Outcome",
    "Pause",
    "Policy",
    "Request",
    "Response",
    "Service",
    "attempt",
    "drive",
    "error_fields",
    "failed",
    "masked",
    "run",
    "validation",
]

"""Requests to a service, apart from how they are sent; repeated where that is safe."""

from __future__ import annotations

from neonup.http.answers import error_fields
from neonup.http.calls import Call, Failure, Pause, Request, Response
from neonup.http.retry import Outcome, Policy, Service, attempt, failed
from neonup.http.run import drive, run
from neonup.http.transport import LimitedBody, Sender, client_options, failure_of
from neonup.providers import validation

__all__ = [
    "Call", "Failure", "LimitedBody", "Outcome", "Pause", "Policy", "Request", "Response",
    "Sender", "Service", "attempt", "client_options", "drive", "error_fields", "failed",
    "failure_of", "run", "validation",
]  # fmt: skip

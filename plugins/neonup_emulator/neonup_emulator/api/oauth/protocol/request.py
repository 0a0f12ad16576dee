"""Requests in the form that Authlib expects."""

from __future__ import annotations

from collections import defaultdict
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from starlette.requests import Request

Parameters = list[tuple[str, str]]

_FORM = "application/x-www-form-urlencoded"


class Payload(OAuth2Payload):
    """The parameters of a request."""

    def __init__(self, parameters: Parameters):
        self._data = dict(parameters)
        self._datalist: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in parameters:
            self._datalist[name].append(value)

    @property
    def data(self) -> dict[str, str]:
        """Each parameter's value."""
        return self._data

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        """Each parameter's values."""
        return self._datalist


class Incoming(OAuth2Request):
    """A request to one of the endpoints.

    Args:
        issuer: this server, as the client addressed it.
        parameters: of the query for the authorization endpoint, of the body for the others.
    """

    def __init__(self, request: Request, issuer: str, parameters: Parameters):
        # Authlib insists on TLS but for loopback names; who opens a local Neon to other machines
        # has said so in many words.
        super().__init__(request.method, f"https://{request.url.netloc}", None, request.headers)
        self.issuer = issuer
        self.payload = Payload(parameters)

    @property
    def form(self) -> dict[str, str]:
        """The same parameters."""
        return dict(self.payload.data)


def in_query(request: Request, issuer: str) -> Incoming:
    """A request whose parameters are in its address."""
    return Incoming(request, issuer, request.query_params.multi_items())


def in_body(request: Request, issuer: str, body: bytes) -> Incoming:
    """A request whose parameters are in its body, as a form.

    Raises:
        InvalidRequestError: the body is no form, or says something twice.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise InvalidRequestError(f"Send the parameters as {_FORM}.")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise InvalidRequestError("The body is no form.") from None
    if len({name for name, _ in fields}) < len(fields):
        raise InvalidRequestError("A parameter is there twice.")
    return Incoming(request, issuer, fields)

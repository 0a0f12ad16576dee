"""`Account`: views by which users of a site connect their own Neon accounts.

    account = Account(application, tokens)
    urlpatterns = [path("neon/", account.urls), ...]

It keeps what it needs on the way in Django's session. What it takes comes with
``neonup[cloud,django]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET, require_POST

from neonup_cloud import NeonClient, oauth
from neonup_cloud.web.connecting import AccountConnection


class Account(AccountConnection[HttpRequest]):
    """The users' accounts at Neon; its arguments are those of `AccountConnection`.

    ``after`` may also be a view's name.
    """

    def address_after(self) -> str:
        """The address of ``after``, an address itself or a view's name."""
        return resolve_url(self.after)

    @property
    def urls(self) -> tuple[list[URLPattern], str, str]:
        """For ``path("neon/", account.urls)``: the views ``neon_account:connect`` and
        ``neon_account:disconnect``, which take forms by POST, and ``neon_account:callback``."""
        patterns = [
            path("connect", self._view(require_POST, self._connect), name="connect"),
            path("callback", self._view(require_GET, self._callback), name="callback"),
            path("disconnect", self._view(require_POST, self._disconnect), name="disconnect"),
        ]
        return patterns, "neon_account", "neon_account"

    @contextmanager
    def client(self, request: HttpRequest) -> Iterator[NeonClient | None]:
        """Neon's API on behalf of the user; None: no account is connected.

        Where the user has revoked it at Neon, its use raises `neonup_cloud.oauth.SignInEnded` once;
        afterwards no account is connected.
        """
        stored = self.stored(request)
        if stored is None:
            yield None
            return
        store, tokens = stored
        auth = oauth.connected(self.application, store)
        with NeonClient(auth=auth, base_url=self.base_url) as neon:
            try:
                yield neon
            except oauth.SignInEnded:
                oauth.connect.drop(store, tokens)
                raise

    def _view(self, method: Any, view: Callable[[HttpRequest], HttpResponse]) -> Any:
        def answer(request: HttpRequest) -> HttpResponse:
            return view(request)

        return method(never_cache(csrf_protect(answer)))

    def _connect(self, request: HttpRequest) -> HttpResponse:
        self._store(request)
        return _redirect(self.begin(request.session))

    def _callback(self, request: HttpRequest) -> HttpResponse:
        store = self._store(request)
        return _redirect(self.complete(request.session, request.GET.dict(), store))

    def _disconnect(self, request: HttpRequest) -> HttpResponse:
        return _redirect(self.disconnect(self._store(request)))

    def _store(self, request: HttpRequest) -> oauth.TokenStore:
        store = self.tokens(request)
        if store is None:
            raise PermissionDenied
        return store


def _redirect(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = 303  # what comes after a form is a GET (RFC 9700, 4.12)
    return response

"""An agent's identity: the secret of its project, kept outside of ``.env``, and used.

A file of mode 0600 in neonup's home holds it, under the project's id. The secret is thrown away
only when the service says that it is worth nothing any more; what became of the project is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from neonup.errors import ProviderError
from neonup.http.calls import Call
from neonup.http.run import drive
from neonup.http.transport import Sender
from neonup.providers.claimable import api
from neonup.providers.claimable.api import AgentError
from neonup.providers.state_store import StateStore

T = TypeVar("T")

DELETED = "deleted"


@dataclass
class AgentIdentity:
    """A registration.

    Args:
        base: the service's root.
        place: which project's ``.env`` it is for.
        denied: capabilities that were not granted, with the reason.
        assertion: the secret; None once it is worth nothing.
        ended: why: a code of `neonup.providers.claimable.api.ENDS`, or `DELETED`.
        revoked: whether somebody has begun to claim the project: the database's password is dead.
        offered: whether a code was given, and it is not known what became of it.
        variables: what leads to the project's other services, by name.
    """

    project_id: str
    base: str
    place: str
    denied: dict[str, str]
    assertion: str | None = field(repr=False)
    ended: str | None = None
    revoked: bool = False
    offered: bool = False
    variables: dict[str, str] = field(default_factory=dict)

    def save(self, store: StateStore) -> None:
        store.write(self.project_id, vars(self))

    def note(self, store: StateStore, **facts: object) -> None:
        """Change some values, unless another process has noted an end meanwhile."""
        now = load(store, self.project_id) or self
        if now.ended is None and not facts.items() <= vars(now).items():
            vars(now).update(facts)
            now.save(store)
        vars(self).update(vars(now))

    def end(self, reason: str, store: StateStore) -> None:
        self.ended, self.assertion = reason, None
        self.save(store)


def load(store: StateStore, project_id: str) -> AgentIdentity | None:
    """The identity of a project; None if it is not on this machine."""
    content: dict[str, Any] | None = store.read(project_id)
    try:
        return None if content is None else AgentIdentity(**content)
    except TypeError:
        return None


def of_place(store: StateStore, place: str) -> AgentIdentity | None:
    """The identity that is good for a project's ``.env``, if there is one."""
    for name in store.names():
        identity = load(store, name)
        if identity is not None and identity.place == place and identity.assertion:
            return identity
    return None


def give_up_place(store: StateStore, place: str) -> None:
    """Another registration is about to take the place of an earlier one, which lives on."""
    while (identity := of_place(store, place)) is not None:
        identity.place = ""
        identity.save(store)


class AgentSession:
    """A few requests with one access token.

    Raises:
        AgentError: the service refuses the secret.
        ProviderError: there is no secret any more.
    """

    def __init__(self, identity: AgentIdentity, store: StateStore, sender: Sender):
        self._identity = identity
        self._store = store
        self._sender = sender
        if identity.assertion is None:
            raise ProviderError(f"The agent's identity has ended: {identity.ended}.")
        self._token = self._exchanged()

    def delete(self) -> None:
        """Delete the project, which ends the identity."""
        self.ask(api.delete)
        self._identity.end(DELETED, self._store)

    def ask(self, call: Callable[[str, str, str], Call[T]]) -> T:
        """What a call of `api` about the project answers: it takes root, project and token."""
        identity = self._identity
        try:
            return self._heeding(call(identity.base, identity.project_id, self._token))
        except AgentError as error:
            if error.reason not in api.BAD_TOKEN:
                raise
        self._token = self._exchanged()
        return self._heeding(call(identity.base, identity.project_id, self._token))

    def _exchanged(self) -> str:
        secret = self._identity.assertion or ""
        return self._heeding(api.exchange(self._identity.base, secret))

    def _heeding(self, call: Call[T]) -> T:
        """A call, and the end of the secret where the service says so."""
        try:
            return drive(call, self._sender)
        except AgentError as error:
            if error.ends:
                self._identity.end(error.reason, self._store)
            raise

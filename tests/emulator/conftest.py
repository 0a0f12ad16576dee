"""A local Neon in this process, for the tests of a module; each test has projects of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from neonup_emulator.neon import upkeep
from tests.conftest import remove_home, warm_home
from tests.emulator import oauth
from tests.emulator.agent import Agent, Person
from tests.emulator.api import Api, Project
from tests.emulator.serving import NeonServer, serving


@pytest.fixture(scope="module")
def neon_server_here(warm_parts: Path) -> Iterator[NeonServer]:
    """Not the whole run's: its projects, of 40 MB each, would fill the machine's memory."""
    home = warm_home(warm_parts)
    with serving(home) as server:
        yield server
    remove_home(home)


@pytest.fixture
def api(neon_server_here: NeonServer) -> Api:
    return Api(neon_server_here.base, neon_server_here.key)


@pytest.fixture
def project(api: Api) -> Project:
    return api.create_project(name="shop")


@pytest.fixture
def root(neon_server_here: NeonServer) -> str:
    """The server's address."""
    return neon_server_here.base.removesuffix("/api/v2")


@pytest.fixture
def agent(root: str) -> Agent:
    return Agent(root)


_NUMBERS = count()


@pytest.fixture
def new_person(root: str) -> Iterator[Callable[[], Person]]:
    """Somebody else each time, signed in to the pages."""
    made: list[Person] = []

    def make() -> Person:
        made.append(Person(root, f"person-{next(_NUMBERS)}@example.com"))
        return made[-1]

    yield make
    for person in made:
        person.pages.close()


@pytest.fixture
def later(neon_server_here: NeonServer) -> Iterator[Callable[..., None]]:
    """Move the clock; with `tidy` what is over then is deleted at once."""
    neon = neon_server_here.neon

    def move(*, tidy: bool = False, **ahead: float) -> None:
        neon.clock.ahead = timedelta(**ahead)
        if tidy:
            upkeep.expire(neon)

    yield move
    neon.clock.ahead = timedelta()


@pytest.fixture
def person(neon_server_here: NeonServer) -> Iterator[oauth.Person]:
    """A user of their own, signed in to the pages."""
    found = oauth.Person(neon_server_here)
    yield found
    found.browser.close()


@pytest.fixture
def cli(neon_server_here: NeonServer) -> oauth.Application:
    """The official command line, which everybody can claim to be."""
    return oauth.Application(oauth.root_of(neon_server_here))


@pytest.fixture
def web(neon_server_here: NeonServer) -> oauth.Application:
    """A web application with a secret."""
    return oauth.register(neon_server_here, "https://app.example/callback?from=neon")

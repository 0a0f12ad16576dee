"""The fixtures. What they need is imported when a test asks for them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from neonup_pytest import options, supported

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.orm import Session

    from neonup import Database
    from neonup_pytest.branch import RunBranch
    from neonup_pytest.neon_server import NeonServer
    from neonup_pytest.schema import Source
    from neonup_pytest.state import RunState


@contextmanager
def plainly() -> Iterator[None]:
    """Errors that users can fix are shown without this plugin's frames."""
    from neonup import NeonupError

    try:
        yield
    except NeonupError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="session")
def neon_template(pytestconfig: pytest.Config) -> Source:
    """What makes the schema; by default what ``neon_schema`` and ``neon_migrate`` say.

    Override it to return a command or ``module:function``, the path of a SQL file, a callable
    that is given the URL, a list of these, a `neonup_pytest.Schema`, or None for no schema.
    """
    return options.schema(pytestconfig)


@pytest.fixture(scope="session")
def neon_url(pytestconfig: pytest.Config, neon_template: Source) -> str:
    """This process's URL, the same for the whole run, in the application's dialect.

    A test that asks for no more than this shares the database behind it with others.
    """
    with plainly():
        mine = _begun(pytestconfig, neon_template)
        mine.worker.share()
    return mine.worker.url


@pytest.fixture(scope="session")
def neon_server_url(pytestconfig: pytest.Config) -> str:
    """The tests' server's URL, for suites that name databases themselves: ``{URL}/test``.

    Without a database it leads to the one that is named as the role. On a server of the run's own,
    all databases are gone with it.
    """
    from neonup_pytest import state

    with plainly():
        mine = state.of(pytestconfig)
        mine.verify()
        return mine.worker.server_url()


@pytest.fixture
def _neon_shared(pytestconfig: pytest.Config, neon_url: str, neon_template: Source) -> None:
    """What tests with `neon_url` alone use, too: a folder may have a template of its own."""
    with plainly():
        _begun(pytestconfig, neon_template).worker.share()


@pytest.fixture
def _neon_application(request: pytest.FixtureRequest, neon_template: Source) -> None:
    """What is behind the application's URL for a test that asks for nothing of this plugin."""
    from neonup_pytest import state
    from neonup_pytest.schema import schema_of

    with plainly():
        schema = schema_of(neon_template, request.config.rootpath)
        state.of(request.config).serve(schema, request.session)


@pytest.fixture
def neon_db(
    request: pytest.FixtureRequest, neon_url: str, neon_template: Source
) -> Iterator[Database]:
    """A database of the test's own behind the unchanged `neon_url`.

    With ``isolation`` ``transaction`` or ``shared`` it is the one that such tests share.
    """
    from neonup_pytest.options import Isolation

    with plainly():
        mine = _begun(request.config, neon_template)
        isolated = mine.isolation(request.node) is Isolation.DATABASE
        if isolated:
            mine.worker.isolate()
            mine.failed_databases.note_database(request.node)
        else:
            mine.worker.share()
    yield mine.database(mine.worker.libpq_url)
    if isolated and (left := mine.worker.finish()):
        warnings.warn(f"{request.node.nodeid}: {left}", stacklevel=1)
    if isolated:
        mine.failed_databases.keep(request.node)


@pytest.fixture(scope="session")
def neon_db_factory(
    pytestconfig: pytest.Config, neon_url: str
) -> Callable[[], AbstractContextManager[Database]]:
    """Makes more databases, for any scope: ``with neon_db_factory() as database:``."""
    from neonup_pytest import state

    mine = state.of(pytestconfig)

    @contextmanager
    def another() -> Iterator[Database]:
        with mine.worker.another() as url:
            yield mine.database(url)

    return another


@pytest.fixture
def neon_connection(
    request: pytest.FixtureRequest, neon_db: Database
) -> Iterator[psycopg.Connection[Any]]:
    """A psycopg connection to `neon_db`, closed after the test."""
    from neonup_pytest.application import drivers

    with drivers.connection(neon_db.url, rolled_back=_rolled_back(request)) as connection:
        yield connection


@pytest.fixture
def neon_engine(request: pytest.FixtureRequest, neon_db: Database) -> Iterator[Engine]:
    """A SQLAlchemy engine on `neon_db`, without a pool."""
    from neonup_pytest.application import drivers

    with drivers.engine(neon_db.url, rolled_back=_rolled_back(request)) as engine:
        yield engine


@pytest.fixture
def neon_session(neon_engine: Engine) -> Iterator[Session]:
    """A SQLAlchemy session on `neon_engine`."""
    from neonup_pytest.application import drivers

    with drivers.session(neon_engine) as session:
        yield session


@pytest.fixture
def neon_async_connection(
    request: pytest.FixtureRequest, neon_db: Database
) -> psycopg.AsyncConnection[Any]:
    """An asynchronous psycopg connection to `neon_db`, in the test's own event loop."""
    connection: psycopg.AsyncConnection[Any] = _in_loop(request, "connection")
    return connection


@pytest.fixture
def neon_async_engine(request: pytest.FixtureRequest, neon_db: Database) -> AsyncEngine:
    """An asynchronous SQLAlchemy engine on `neon_db`, without a pool, so of no loop."""
    from neonup_pytest.application import drivers

    if _rolled_back(request):
        engine: AsyncEngine = _in_loop(request, "engine")
        return engine
    return drivers.async_engine(neon_db.url)


@pytest.fixture(scope="session")
def neon_branch(pytestconfig: pytest.Config) -> RunBranch:
    """The run's Neon branch, with its parent's data: only with ``--neon-provider=account``.

    Its own database is shared by all tests of the run; `neon_db` is a new one beside it.
    """
    from neonup_pytest import state

    with plainly():
        branch = state.of(pytestconfig).branch
    if branch is None:
        pytest.skip("neon_branch needs a Neon branch: pytest --neon-provider=account")
    return branch


@pytest.fixture(scope="session")
def neon_server(pytestconfig: pytest.Config) -> Iterator[NeonServer]:
    """A Neon on this machine, for tests of an integration with Neon; gone with the run."""
    import neonup
    from neonup_pytest import neon_server

    settings = neonup.resolve(neonup.find_project(pytestconfig.rootpath))
    with ExitStack() as stack:
        with plainly():
            server = stack.enter_context(neon_server.serving(settings.home))
        yield server


def _begun(config: pytest.Config, template: Source) -> RunState:
    from neonup_pytest import state
    from neonup_pytest.schema import schema_of

    mine = state.of(config)
    mine.verify()
    mine.begin(schema_of(template, config.rootpath))
    return mine


def _rolled_back(request: pytest.FixtureRequest) -> bool:
    from neonup_pytest import state

    return state.of(request.config).rolls_back(request.node)


def _in_loop(request: pytest.FixtureRequest, what: str) -> Any:
    """The value of a fixture that is set up in the event loop that the test will run in."""
    plugins = request.config.pluginmanager
    if "anyio_backend" in request.fixturenames:
        plugins.import_plugin("neonup_pytest.anyio_fixtures")
        return request.getfixturevalue(f"_neon_anyio_{what}")
    if not plugins.has_plugin("asyncio"):
        pytest.fail(
            f"neon_async_{what} needs an event loop: pip install pytest-asyncio, or ask for "
            "anyio_backend with anyio.",
            pytrace=False,
        )
    if message := supported.refusal("pytest-asyncio"):  # whose fixtures know no loop_scope
        pytest.fail(message, pytrace=False)
    plugins.import_plugin("neonup_pytest.asyncio_fixtures")
    marker = request.node.get_closest_marker("asyncio")
    scope = marker.kwargs.get("loop_scope") if marker else None
    scope = scope or request.config.getini("asyncio_default_test_loop_scope") or "function"
    return request.getfixturevalue(f"_neon_asyncio_{what}_{scope}")

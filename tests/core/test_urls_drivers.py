"""The URL in each driver's form, tried against real servers, with TLS and without."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import psycopg
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import neonup
from neonup import SettingsError, drivers, urls
from tests.postgres import Server

ROLE = "röle @/:"
PASSWORD = "p%@/:?#&=+ '\"\\[]{}|^`~!$*();,<>é€%41"
DBNAME = "my db/%é?&="

QUERY = (
    "SELECT current_user, current_database(), coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid ="
    " pg_backend_pid()), false), coalesce(host(inet_server_addr()), 'socket')"
)

DJANGO = f"""
import json, os, sys
from django.conf import settings
settings.configure()
from django.db.utils import ConnectionHandler
connection = ConnectionHandler({{"default": json.loads(sys.stdin.read())}})["default"]
with connection.cursor() as cursor:
    cursor.execute({QUERY!r})
    print(json.dumps(cursor.fetchone()))
"""

Row = tuple[str, str, bool, str]
Ask = Callable[[str], Awaitable[Row]]


def _row(row: Any) -> Row:
    user, dbname, tls, address = row
    return user, dbname, tls, address


async def ask_libpq(url: str) -> Row:
    with psycopg.connect(drivers.for_driver(url, "libpq")) as connection:
        return _row(connection.execute(QUERY).fetchone())


async def ask_psycopg(url: str) -> Row:
    arguments = drivers.psycopg_arguments(url)
    async with await psycopg.AsyncConnection.connect(**arguments) as connection:
        return _row(await (await connection.execute(QUERY)).fetchone())


async def ask_asyncpg(url: str) -> Row:
    connection = await asyncpg.connect(drivers.for_driver(url, "asyncpg"))
    try:
        return _row(await connection.fetchrow(QUERY))
    finally:
        await connection.close()


async def ask_asyncpg_with_arguments(url: str) -> Row:
    async with asyncpg.create_pool(
        **drivers.asyncpg_arguments(url), min_size=1, max_size=1
    ) as pool:
        return _row(await pool.fetchrow(QUERY))


async def ask_sqlalchemy(url: str) -> Row:
    engine = sqlalchemy.create_engine(drivers.for_driver(url, "sqlalchemy-psycopg"))
    assert PASSWORD not in repr(engine)
    try:
        with engine.connect() as connection:
            return _row(connection.execute(sqlalchemy.text(QUERY)).one())
    finally:
        engine.dispose()


async def ask_sqlalchemy_asyncpg(url: str) -> Row:
    engine = create_async_engine(drivers.for_driver(url, "sqlalchemy-asyncpg"), poolclass=NullPool)
    assert PASSWORD not in repr(engine)
    try:
        async with engine.connect() as connection:
            return _row((await connection.execute(sqlalchemy.text(QUERY))).one())
    finally:
        await engine.dispose()


async def ask_sqlalchemy_asyncpg_with_arguments(url: str) -> Row:
    engine = create_async_engine(**drivers.engine_arguments(url, driver="asyncpg"))
    try:
        async with engine.connect() as connection:
            return _row((await connection.execute(sqlalchemy.text(QUERY))).one())
    finally:
        await engine.dispose()


async def ask_django(url: str) -> Row:
    done = subprocess.run(
        [sys.executable, "-c", DJANGO],
        input=json.dumps(drivers.django(url)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ConnectionError(done.stderr)
    return _row(json.loads(done.stdout))


ASK: dict[str, Ask] = {
    function.__name__.removeprefix("ask_"): function
    for function in (
        ask_libpq,
        ask_psycopg,
        ask_asyncpg,
        ask_asyncpg_with_arguments,
        ask_sqlalchemy,
        ask_sqlalchemy_asyncpg,
        ask_sqlalchemy_asyncpg_with_arguments,
        ask_django,
    )
}


@pytest.fixture(params=ASK)
def ask(request: pytest.FixtureRequest) -> Ask:
    return ASK[request.param]


@pytest.fixture(scope="session")
def plain_url(plain_server: Server) -> str:
    return plain_server.create(ROLE, PASSWORD, DBNAME)


@pytest.fixture(scope="session")
def tls_url(tls_server: Server) -> str:
    return tls_server.create(ROLE, PASSWORD, DBNAME)


async def test_without_tls(plain_url: str, ask: Ask) -> None:
    assert await ask(plain_url) == (ROLE, DBNAME, False, "127.0.0.1")


async def test_through_a_socket(plain_url: str, plain_server: Server, ask: Ask) -> None:
    parts = urls.parse(plain_url)
    url = (
        str(parts)
        .replace(f"127.0.0.1:{plain_server.port}", "")
        .replace("@/", f"@:{plain_server.port}/")
    )
    url += f"?host={plain_server.sockets}"
    assert await ask(url) == (ROLE, DBNAME, False, "socket")


async def test_with_tls_as_the_cloud_writes_it(tls_url: str, ask: Ask) -> None:
    assert await ask(f"{tls_url}&channel_binding=require&connect_timeout=10") == (
        ROLE,
        DBNAME,
        True,
        "127.0.0.1",
    )


async def test_with_a_verified_certificate(tls_url: str, tls_server: Server, ask: Ask) -> None:
    url = tls_url.replace("sslmode=require", f"sslmode=verify-full&sslrootcert={tls_server.roots}")
    assert await ask(url) == (ROLE, DBNAME, True, "127.0.0.1")


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
async def test_a_foreign_certificate_is_refused(
    tls_url: str, tls_server: Server, ask: Ask, mode: str
) -> None:
    query = f"sslmode={mode}&sslrootcert={tls_server.wrong_roots}"
    with pytest.raises(Exception, match=r"(?i)certificate"):
        await ask(tls_url.replace("sslmode=require", query))


async def test_another_hosts_certificate_is_refused(
    tls_url: str, tls_server: Server, ask: Ask
) -> None:
    query = f"sslmode=verify-full&sslrootcert={tls_server.roots}"
    url = tls_url.replace("127.0.0.1", "127.0.0.2").replace("sslmode=require", query)
    with pytest.raises(Exception, match=r"(?i)certificate"):
        await ask(url)
    assert (await ask(url.replace("verify-full", "verify-ca")))[2]


async def test_system_roots_are_verified_against(
    tls_url: str, ask: Ask, tls_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = tls_url.replace("sslmode=require", "sslrootcert=system")
    with pytest.raises(Exception, match=r"(?i)certificate"):
        await ask(url)
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.roots))
    assert await ask(url) == (ROLE, DBNAME, True, "127.0.0.1")


async def test_over_ipv6(tls_url: str, tls_server: Server, ask: Ask) -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.connect(("::1", tls_server.port))
        except OSError:
            pytest.skip("this machine has no IPv6")
    query = f"sslmode=verify-full&sslrootcert={tls_server.roots}"
    url = tls_url.replace("127.0.0.1", "[::1]").replace("sslmode=require", query)
    assert await ask(url) == (ROLE, DBNAME, True, "::1")


async def test_the_first_of_several_hosts_that_answers(
    tls_url: str, tls_server: Server, ask: Ask
) -> None:
    dead = 1  # nobody listens there
    url = tls_url.replace("127.0.0.1:", f"127.0.0.1:{dead},localhost:")
    row = await ask(url)
    assert row[:3] == (ROLE, DBNAME, True)


async def test_parameters_reach_the_server(plain_url: str) -> None:
    url = f"{plain_url}?application_name=a%20b%2Bc&options=-c%20work_mem%3D3MB&keepalives=1"
    query = "SELECT current_setting('application_name'), current_setting('work_mem')"
    wanted = ("a b+c", "3MB")
    for driver in ("psycopg", "asyncpg"):
        engine = create_async_engine(drivers.for_driver(url, f"sqlalchemy-{driver}"))
        async with engine.connect() as connection:
            assert tuple((await connection.execute(sqlalchemy.text(query))).one()) == wanted
        await engine.dispose()
    connection = await asyncpg.connect(drivers.asyncpg(url))
    assert tuple(await connection.fetchrow(query)) == wanted
    await connection.close()


@pytest.mark.parametrize("driver", ["sqlalchemy-psycopg", "sqlalchemy-asyncpg", "asyncpg"])
def test_every_form_is_read_back_as_libpqs(plain_url: str, driver: str) -> None:
    assert drivers.libpq(drivers.for_driver(plain_url, driver)) == plain_url


def test_behind_a_pooler_nothing_is_prepared_by_name() -> None:
    url = "postgresql://u:p@ep-a-pooler.neon.tech/d?sslmode=require"
    assert drivers.psycopg_arguments(url)["prepare_threshold"] is None
    assert drivers.asyncpg_arguments(url)["statement_cache_size"] == 0
    assert drivers.django(url)["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert "prepared_statement_cache_size=0" in drivers.sqlalchemy_url(url, driver="asyncpg")
    assert drivers.engine_arguments(url)["connect_args"] == {"prepare_threshold": None}
    assert "prepare_threshold" not in drivers.psycopg_arguments(urls.direct(url))
    assert "DISABLE_SERVER_SIDE_CURSORS" not in drivers.django(urls.direct(url))


def test_direct_is_past_the_pooler() -> None:
    url = "postgresql://u:p@ep-a-pooler.neon.tech/d"
    assert neonup.sqlalchemy_url(url, direct=True) == "postgresql+psycopg://u:p@ep-a.neon.tech/d"


def test_other_tools_parameters_do_not_reach_libpq() -> None:
    url = "postgresql://u:p@h/d?schema=public&pgbouncer=true&sslmode=require"
    assert drivers.libpq(url) == "postgresql://u:p@h/d?sslmode=require"


def test_an_unknown_driver_is_named() -> None:
    with pytest.raises(SettingsError, match="mysql"):
        drivers.for_driver("postgresql://h/d", "mysql")
    with pytest.raises(SettingsError, match="pg8000"):
        drivers.sqlalchemy_url("postgresql://h/d", driver="pg8000")


def test_the_forms_print_as_text(tmp_path: Path) -> None:
    for name in drivers.DRIVERS:
        assert drivers.for_driver("postgresql://u:p@h/d", name)

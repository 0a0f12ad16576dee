"""Neon's SQL over HTTP: one statement a request, or several in one transaction.

It is what the driver @neondatabase/serverless 1.2 sends and reads
(https://neon.com/docs/serverless/serverless-driver): ``{"query", "params"}`` or ``{"queries":
[...]}`` in, every value out as Postgres's own text. Only databases of this server are reached.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import psycopg
from anyio import to_thread
from psycopg.pq import DiagnosticField as Field
from psycopg.pq import ExecStatus
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from neonup_emulator.api.body import Unusable, json_object
from neonup_emulator.neon.context import LocalNeon

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

_LARGEST_BODY = 16 * 1024 * 1024
_CONNECT_SECONDS = 10
_POSTGRES = 5432
_LEVELS = {
    "ReadUncommitted": "READ UNCOMMITTED",
    "ReadCommitted": "READ COMMITTED",
    "RepeatableRead": "REPEATABLE READ",
    "Serializable": "SERIALIZABLE",
}

Statement = tuple[str, list[Any]]


def routes() -> list[Route]:
    """The route of the API."""
    return [Route("/sql", _sql, methods=["POST"])]


async def _sql(request: Request) -> JSONResponse:
    try:
        body = await json_object(request, _LARGEST_BODY)
        queries = body.get("queries")
        begin = None if queries is None else _begin(request)
        statements = [_statement(item) for item in _listed([body] if queries is None else queries)]
    except Unusable:
        return _refused(
            'Send one statement, {"query": "...", "params": [...]}, or {"queries": [...]}.'
        )
    target = _target(request)
    if target is None:
        return _refused("This server has no database with that connection string.")
    status, answer = await to_thread.run_sync(_execute, target, statements, begin)
    return JSONResponse(answer, status)


def _listed(queries: object) -> list[object]:
    if not isinstance(queries, list) or not queries:
        raise Unusable
    return queries


def _statement(body: object) -> Statement:
    query = body.get("query") if isinstance(body, dict) else None
    values = body.get("params", []) if isinstance(body, dict) else None
    if not isinstance(query, str) or not isinstance(values, list):
        raise Unusable
    return query, values


def _begin(request: Request) -> str:
    """The statement that begins the transaction, with the options in the driver's headers."""
    parts = ["BEGIN"]
    if level := request.headers.get("neon-batch-isolation-level"):
        if level not in _LEVELS:
            raise Unusable
        parts.append(f"ISOLATION LEVEL {_LEVELS[level]}")
    if request.headers.get("neon-batch-read-only") == "true":
        parts.append("READ ONLY")
    if request.headers.get("neon-batch-deferrable") == "true":
        parts.append("DEFERRABLE")
    return " ".join(parts)


def _refused(message: str) -> JSONResponse:
    return JSONResponse({"message": message}, 400)


def _target(request: Request) -> dict[str, Any] | None:
    """How to connect to the database that the URL in the request names.

    Returns:
        Parameters of libpq; None where the URL names no endpoint of this server.
    """
    try:
        parts = urlsplit(request.headers.get("neon-connection-string", ""))
        host, port = parts.hostname or "", parts.port or _POSTGRES
    except ValueError:
        return None
    neon: LocalNeon = request.app.state.neon
    endpoint = neon.endpoint_at(host, port)
    if endpoint is None:
        return None
    return {
        "host": neon.addresses.from_here(endpoint),
        "port": endpoint.port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": unquote(parts.path.lstrip("/")),
        "connect_timeout": _CONNECT_SECONDS,
    }


def _execute(
    target: dict[str, Any], statements: list[Statement], begin: str | None
) -> tuple[int, dict[str, Any]]:
    """Run the statements; returns the HTTP status and the content of the answer.

    Args:
        begin: the statement that begins a transaction around all of them; None: there is a single
            statement, which runs without one.
    """
    try:
        with psycopg.connect(**target, autocommit=True) as connection:
            if begin is None:
                return _answer(_run(connection.pgconn, *statements[0]))
            connection.execute(begin.encode())
            results = []
            for statement in statements:
                status, answer = _answer(_run(connection.pgconn, *statement))
                if status != 200:
                    return status, answer
                results.append(answer)
            connection.execute("COMMIT")
            return 200, {"results": results}
    except (psycopg.Error, ValueError) as error:
        return 400, {"message": str(error).strip()}


def _run(connection: PGconn, query: str, values: list[Any]) -> PGresult:
    return connection.exec_params(query.encode(), [_parameter(value) for value in values])


def _parameter(value: object) -> bytes | None:
    """A parameter as Postgres reads it; the driver sends texts, others may send JSON's values."""
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def _answer(result: PGresult) -> tuple[int, dict[str, Any]]:
    if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY):
        return 400, _error(result)
    tag = (result.command_status or b"").decode()
    columns = range(result.nfields)
    rows = range(result.ntuples)
    return 200, {
        "command": tag.partition(" ")[0],
        "rowCount": result.command_tuples,
        "fields": [
            {
                "name": (result.fname(column) or b"").decode(),
                "dataTypeID": result.ftype(column),
                "tableID": result.ftable(column),
                "columnID": result.ftablecol(column),
                "dataTypeSize": result.fsize(column),
                "dataTypeModifier": result.fmod(column),
                "format": "text",
            }
            for column in columns
        ],
        "rows": [[_text(result, row, column) for column in columns] for row in rows],
        "rowAsArray": True,
    }


def _text(result: PGresult, row: int, column: int) -> str | None:
    value = result.get_value(row, column)
    return None if value is None else value.decode("utf-8", "replace")


def _error(result: PGresult) -> dict[str, Any]:
    names = {
        "message": Field.MESSAGE_PRIMARY,
        "code": Field.SQLSTATE,
        "severity": Field.SEVERITY,
        "detail": Field.MESSAGE_DETAIL,
        "hint": Field.MESSAGE_HINT,
        "position": Field.STATEMENT_POSITION,
        "internalPosition": Field.INTERNAL_POSITION,
        "internalQuery": Field.INTERNAL_QUERY,
        "where": Field.CONTEXT,
        "schema": Field.SCHEMA_NAME,
        "table": Field.TABLE_NAME,
        "column": Field.COLUMN_NAME,
        "dataType": Field.DATATYPE_NAME,
        "constraint": Field.CONSTRAINT_NAME,
        "file": Field.SOURCE_FILE,
        "line": Field.SOURCE_LINE,
        "routine": Field.SOURCE_FUNCTION,
    }
    fields = {name: result.error_field(which) for name, which in names.items()}
    shown = {name: value.decode("utf-8", "replace") for name, value in fields.items() if value}
    return shown or {"message": result.get_error_message()}

"""What pg_dump writes of a database: the schema's statements for a certain target, and the rows."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from neonup.plugin.postgres import first_failure, missing_feature
from neonup_cloud.move.contents import ServerContents, Table
from neonup_cloud.move.errors import MoveError
from neonup_cloud.move.session import CHUNK
from neonup_cloud.move.tools import Tools

_OPTIONS = (
    *("--format=plain", "--encoding=UTF8", "--no-password", "--no-owner", "--no-tablespaces"),
    *("--no-publications", "--no-subscriptions", "--no-security-labels", "--no-toast-compression"),
    "--lock-wait-timeout=30s",  # for those who change the schema just now
)

_HEADER = re.compile(r"^--\n-- Name: (?P<name>.*); Type: (?P<type>[A-Z ]+); Schema: .*\n--\n", re.M)
_GRANT = re.compile(r'(?:TO|FROM) (?P<role>"(?:[^"]|"")+"|[^\s";]+)(?: WITH GRANT OPTION)?;$', re.M)
_DEFAULTS = re.compile(r'^ALTER DEFAULT PRIVILEGES FOR ROLE (?P<role>"(?:[^"]|"")+"|[^\s"]+) ')
_COLUMN_OPTIONS = re.compile(
    r"^(?P<start>ALTER [A-Z ]*\S.* ALTER COLUMN \S.* SET \()(?P<options>[^()\n]+)\);\n", re.M
)
_COLUMN_VERSION = "pg_attver="
"""An option that Debian's Postgres 15.20 keeps with each column. Its own pg_dump leaves the option
out, one of another release does not, and another server refuses it."""
_NEW_SETTING = "SET transaction_timeout = 0;\n"  # of Postgres 17


@dataclass(frozen=True)
class Dump:
    """A database as it is at one moment.

    Args:
        tools: whose pg_dump to use.
        url: the database, past a pooler if there is one.
        name: what errors call it.
        snapshot: the moment, as a session of it exported it.
    """

    tools: Tools
    url: str
    name: str
    snapshot: str

    def schema(self, section: str, target_server: ServerContents) -> str:
        """The statements that create everything but the rows, as the target can run them.

        Args:
            section: ``pre-data`` (what rows go into) or ``post-data`` (indexes, constraints).
            there: the target's server.

        Raises:
            MoveError: pg_dump failed.
        """
        text = b"".join(self._run(f"--section={section}", *self._large_objects(False))).decode()
        return for_target(text, target_server)

    def rows(
        self, without: Sequence[Table], target_server: ServerContents
    ) -> Generator[bytes, None, None]:
        """The rows of all tables but some, and where the sequences are.

        Raises:
            MoveError: pg_dump failed.
        """
        excluded = [f"--exclude-table-data={table.quoted}" for table in without]
        chunks = self._run("--section=data", *self._large_objects(False), *excluded)
        start = b""
        for chunk in chunks:
            start += chunk
            if len(start) > len(_NEW_SETTING) + 2048:  # it is one of the first lines
                break
        yield start if target_server.major >= 17 else start.replace(_NEW_SETTING.encode(), b"", 1)
        yield from chunks

    def large_objects(self, target_server: ServerContents) -> Generator[bytes, None, None]:
        """The large objects, without the transaction that pg_dump puts around them.

        Raises:
            MoveError: pg_dump failed.
        """
        options: tuple[str, ...] = ("--section=data", "--exclude-table-data=*.*")
        if self.tools.major < 17:  # there they are created with the schema
            options = ("--section=pre-data", *options)
        tail = b""
        for chunk in self._run(*options, *self._large_objects(True)):
            lines, newline, tail = (tail + chunk).rpartition(b"\n")
            yield b"".join(
                line
                for line in (lines + newline).splitlines(keepends=True)
                if _of_large_object(line, target_server)
            )
        yield tail

    def _large_objects(self, wanted: bool) -> Sequence[str]:
        word = "large-objects" if self.tools.major >= 16 else "blobs"
        return (f"--{word}",) if wanted else (f"--no-{word}",)

    def _run(self, *options: str) -> Generator[bytes, None, None]:
        argv, environ = self.tools.command("pg_dump", self.url)
        argv += [*_OPTIONS, f"--snapshot={self.snapshot}", *options]
        with tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    argv,
                    env=environ,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                )
            except OSError as error:
                raise MoveError(f"{argv[0]} cannot be started: {error.strerror}.") from None
            assert process.stdout is not None  # noqa: S101
            try:
                while chunk := process.stdout.read1(CHUNK):  # type: ignore[attr-defined]
                    yield chunk
            except BaseException:
                process.terminate()
                raise
            finally:
                process.stdout.close()
                status = process.wait()
            if status:
                errors.seek(0)
                raise self._failed(errors.read().decode(errors="replace"))

    def _failed(self, stderr: str) -> MoveError:
        failure = first_failure(stderr)
        text = "\n".join((failure.message, *failure.details))
        return MoveError(
            f"{self.name} cannot be read: {failure.message}",
            checked=failure.details,
            missing=missing_feature(text),
        )


def for_target(script: str, target_server: ServerContents) -> str:
    """A schema's statements without those that a target refuses and that can be left out.

    These are privileges of roles that it does not have, event triggers where no superuser is
    connected, the comments of extensions, which only their owner may write, and the versions that
    some servers keep with their columns.

    Args:
        script: what pg_dump wrote.
        target_server: the target's server.
    """
    if target_server.major < 17:
        script = script.replace(_NEW_SETTING, "", 1)
    headers = [*_HEADER.finditer(script)]
    if not headers:
        return script
    blocks = [script[: headers[0].start()]]
    ends = [header.start() for header in headers[1:]] + [len(script)]
    for header, end in zip(headers, ends, strict=True):
        blocks.append(_block(header, script[header.start() : end], target_server))
    return "".join(blocks)


def _block(header: re.Match[str], text: str, target_server: ServerContents) -> str:
    kind = header["type"]
    if kind == "SCHEMA":
        return re.sub(r"^CREATE SCHEMA (?!IF )", "CREATE SCHEMA IF NOT EXISTS ", text, flags=re.M)
    if kind in ("ACL", "DEFAULT ACL"):
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if _can_grant(line, target_server))
    if kind.endswith(("TABLE", "VIEW", "INDEX")):
        return _COLUMN_OPTIONS.sub(_without_version, text)
    what = header["name"] if kind == "COMMENT" else kind  # a comment's name begins with a kind
    left_out = kind == "COMMENT" and what.startswith("EXTENSION ")
    if not target_server.superuser:
        left_out |= what.startswith("EVENT TRIGGER")
    return _trailer(text) if left_out else text


def _without_version(statement: re.Match[str]) -> str:
    options = [
        option
        for option in statement["options"].split(", ")
        if not option.startswith(_COLUMN_VERSION)
    ]
    return f"{statement['start']}{', '.join(options)});\n" if options else ""


def _trailer(text: str) -> str:
    """What ends a dump, where a block that is left out is its last one."""
    trailer = re.search(r"^--\n-- PostgreSQL database dump complete\n(?s:.*)", text, re.M)
    return trailer[0] if trailer else ""


def _of_large_object(line: bytes, target_server: ServerContents) -> bool:
    if line in (b"BEGIN;\n", b"COMMIT;\n"):
        return False
    if line.startswith((b"GRANT ", b"REVOKE ", b"SET SESSION ", b"RESET SESSION ")):
        return _can_grant(line.decode(), target_server)
    return target_server.major >= 17 or line != _NEW_SETTING.encode()


def _can_grant(line: str, target_server: ServerContents) -> bool:
    if line.startswith(("SET SESSION AUTHORIZATION", "RESET SESSION AUTHORIZATION")):
        return False
    by = _DEFAULTS.match(line)
    if by and by["role"] not in target_server.member_of:
        return False
    grant = _GRANT.search(line)
    return grant is None or grant["role"] in ("PUBLIC", *target_server.roles)

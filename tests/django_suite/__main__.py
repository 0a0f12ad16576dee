"""Django's own tests, on Django's backend and on this one: every outcome must be the same.

``python -m tests.django_suite [LABEL...]``; without labels, those that are about databases; with
``all``, the whole suite. Some of it needs what the wheels lack, ICU and uuid-ossp:
``NEONUP_LOCAL_ENGINE=machine`` runs it on the machine's Postgres.

Django's tests come with its sdist, which is fetched once, in the version that is installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from neonup_local.test_server import EphemeralServer, choose_engine
from neonup_pytest.servers.admin import Admin
from tests.environments import run_pip
from tests.postgres import free_port

HERE = Path(__file__).parent
LABELS = (
    *("backends", "transactions", "migrations", "schema", "introspection"),
    *("multiple_database", "test_runner", "test_utils"),
)
BACKENDS = ("plain", "neon")
_PASSWORD = "pw"


def main(labels: list[str]) -> int:
    """Run the tests on both backends at once, and compare; returns the exit status."""
    sources = _sources()
    with tempfile.TemporaryDirectory(prefix="nu-suite-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o711)
        with _server(folder) as url:
            runs = {name: _start(name, folder, sources, url, labels) for name in BACKENDS}
            for run in runs.values():
                run.wait()
        outcomes = {name: _read(folder, name) for name in BACKENDS}
    return _compare(*outcomes.values())


def _sources() -> Path:
    """The folder with Django's tests."""
    version = django.__version__
    cache = HERE / ".sdist"
    tests = cache / f"django-{version}" / "tests"
    if not tests.is_dir():
        shutil.rmtree(cache, ignore_errors=True)
        fetch = ("download", "--quiet", "--no-deps", "--no-binary=Django", f"Django=={version}")
        run_pip(sys.executable, *fetch, "--dest", cache)
        (archive,) = cache.glob("*.tar.gz")
        with tarfile.open(archive) as file:
            file.extractall(cache, filter="data")
    return tests


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """A Postgres for this alone; yields a URL without a database."""
    port = free_port()
    server = EphemeralServer(
        folder, folder, port, choose_engine(folder, name=os.environ.get("NEONUP_LOCAL_ENGINE"))
    )
    server.make(None)
    server.start()
    try:
        admin = Admin(*server.administrator())
        admin.run(*server.passwords(_PASSWORD, quick=True))
        admin.run(f"ALTER ROLE {server.OWNER} SUPERUSER")  # as Django's own CI: for extensions
        admin.close()
        yield f"postgresql://{server.OWNER}:{_PASSWORD}@127.0.0.1:{port}"
    finally:
        server.stop(cleanly=False)


def _start(
    name: str, folder: Path, sources: Path, url: str, labels: list[str]
) -> subprocess.Popen[bytes]:
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]),
        "NEONUP_HOME": str(folder / f"home-{name}"),
        "NEONUP_BANNER": "off",
        "DATABASE_URL": f"{url}/neondb",
        "OTHER_DATABASE_URL": f"{url}/postgres",
        "SUITE_OUTCOMES": str(folder / f"{name}.json"),
    }
    command = (
        *(sys.executable, "runtests.py", f"--settings=tests.django_suite.{name}"),
        *("--parallel=1", "--verbosity=0", *labels),
    )
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=sources, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def _read(folder: Path, name: str) -> dict[str, str]:
    try:
        outcomes: dict[str, str] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except OSError:
        print((folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-3000:])
        raise SystemExit(f"Django's tests did not run to their end ({name}).") from None
    return outcomes


def _compare(plain: dict[str, str], neon: dict[str, str]) -> int:
    different = sorted(test for test in {*plain, *neon} if plain.get(test) != neon.get(test))
    for test in different:
        theirs, ours = (found.get(test, "not run") for found in (plain, neon))
        print(f"{test}: {theirs} with Django's backend, {ours} with this one")
    print(f"Django {django.__version__}: {dict(Counter(plain.values()))} with its own backend,")
    print(f"{' ' * (len(django.__version__) + 7)}{dict(Counter(neon.values()))} with django_neon")
    print(f"{len({*plain, *neon}) - len(different)} passed, {len(different)} failed")
    return 1 if different or not neon else 0


if __name__ == "__main__":
    asked = sys.argv[1:] or [*LABELS]
    raise SystemExit(main([] if asked == ["all"] else asked))

"""Others' own tests, on plain Postgres and with neonup: every outcome must be the same.

``python -m tests.suites [NAME...]``; without names, all of `catalog.SUITES`; ``quick``, those that
CI runs, two at a time. Three runs each: on plain Postgres, with neonup for the first time, and
again.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from neonup_local.test_server import choose_engine
from tests.suites import environments, running
from tests.suites.catalog import QUICK, SUITES, Suite
from tests.suites.plain_server import PlainServer, plain_server


def main(names: list[str]) -> int:
    """Run the suites and compare; returns the exit status."""
    by_name = {suite.name: suite for suite in SUITES}
    wanted = [*QUICK] if names == ["quick"] else names or [*by_name]
    if unknown := [name for name in wanted if name not in by_name]:
        print(f"There is no suite {', '.join(unknown)}: {', '.join(by_name)}, quick.")
        return 2
    for environment in {by_name[name].environment for name in wanted}:
        environments.python(environment)
    # Suites that are run for their seconds do not disturb each other.
    pool = ThreadPoolExecutor(max_workers=2 if names == ["quick"] else 1)
    with tempfile.TemporaryDirectory(prefix="nu-suites-") as temporary, pool:
        folder = Path(temporary)
        folder.chmod(0o711)
        with plain_server(choose_engine(folder / "home"), folder / "server") as server:
            compared = [pool.submit(_compared, by_name[name], folder, server) for name in wanted]
            different = sum(one.result() for one in compared)
    print(f"{len(wanted) - different} passed, {different} failed")
    return 1 if different else 0


def _compared(suite: Suite, folder: Path, server: PlainServer) -> bool:
    """Run a suite on both sides and print what came of it; whether an outcome has no reason."""
    home = folder / f"home-{suite.name}"
    try:
        plain = running.on_plain(suite, folder, server)
        first = running.with_neonup(suite, folder, home)
        again = running.with_neonup(suite, folder, home)
    except running.DidNotRun as error:
        print(
            f"{suite.name} {suite.version} did not run to its end:\n{error}\n", end="", flush=True
        )
        return True
    unexplained, said = 0, []
    for test in sorted({*plain.outcomes, *first.outcomes, *again.outcomes}):
        ended = [run.outcomes.get(test, "not run") for run in (plain, first, again)]
        if len({*ended}) == 1:
            continue
        reason = next((why for what, why in suite.reasons.items() if re.search(what, test)), None)
        unexplained += reason is None
        line = f"  {test}: {ended[0]} on plain Postgres, {ended[1]} with neonup, {ended[2]} again"
        said.append(line + (f": {reason}" if reason else ""))
    counted = ", ".join(
        f"{count} {ended}" for ended, count in Counter(plain.outcomes.values()).items()
    )
    said.append(
        f"{suite.name} {suite.version}: {counted}; {unexplained} differ without a reason; "
        f"plain {plain.seconds:.1f} s, neonup {first.seconds:.1f} s, again {again.seconds:.1f} s\n"
    )
    print("\n".join(said), end="", flush=True)  # at once: another suite may print beside it
    return bool(unexplained) or not plain.outcomes


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

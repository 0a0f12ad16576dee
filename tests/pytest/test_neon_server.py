"""The local Neon of a test run."""

from __future__ import annotations

import pytest

from tests.pytest.child import Child

TESTS = """
    import json, os, subprocess, sys, urllib.request
    import psycopg
    import neonup

    def test_its_api(neon_server):
        request = urllib.request.Request(
            neon_server.env["NEONUP_NEON_NEW_URL"] + "/database",
            data=b'{"ref": "tests"}', headers={"Content-Type": "application/json"}, method="POST",
        )
        with urllib.request.urlopen(request) as answer:
            made = json.load(answer)
        assert made["claim_url"].startswith(neon_server.url)
        with psycopg.connect(made["connection_string"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        print("home=" + os.environ["NEONUP_HOME"])

    def test_neon_api_v2(neon_server):
        request = urllib.request.Request(
            neon_server.env["NEON_API_HOST"] + "/projects", data=b'{"project": {}}', method="POST",
            headers={"Authorization": "Bearer " + neon_server.env["NEON_API_KEY"]},
        )
        with urllib.request.urlopen(request) as answer:
            made = json.load(answer)
        with psycopg.connect(made["connection_uris"][0]["connection_uri"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

    def test_neonup_itself(neon_server, tmp_path):
        environ = {n: v for n, v in os.environ.items() if not n.startswith("PYTEST")}
        environ |= neon_server.env  # in pytest itself, neonup makes local databases only
        subprocess.run([sys.executable, "-m", "neonup"], cwd=tmp_path, env=environ, check=True)
        assert neonup.find(tmp_path).provider == "claimable"

    def test_beside_a_database(neon_server, neon_connection):
        assert neon_connection.execute("SELECT 1").fetchone() == (1,)
"""


@pytest.mark.parametrize("args", [("-s",), ("-n2",)], ids=["alone", "-n2"])
def test_a_client_makes_a_database(child: Child, args: tuple[str, ...]) -> None:
    child.write(test_it=TESTS)
    before = {path.name for path in (child.home / "engines").iterdir()}
    child.pytest(*args).expect(passed=4)
    child.assert_nothing_left()
    after = {path.name for path in (child.home / "engines").iterdir() if path.is_dir()}
    assert before <= after

"""Every subcommand of the official command `neon` does what docs/neon-command.md says of it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from docsite.operation import ROOT
from tests.emulator.api import Api, ask
from tests.emulator.official_commands import CLI, NODE, OfficialCommands, official_commands
from tests.emulator.serving import NeonServer
from tests.project import clean_environ
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed: the official command needs it"),
    pytest.mark.skipif(
        not CLI.exists(), reason="the official command is not installed: npm ci in tests/clients"
    ),
]

PAGE = ROOT / "docs" / "neon-command.md"
WORKS, NONE, ABSENT = "Works", "Says that there is none", "Answers 501"
FAILS, ELSEWHERE = "Fails in Postgres", "Asks other servers"
TESTED_THERE = {
    "auth": "test_official_neon_auth.py",
    **dict.fromkeys(
        ("claim create", "claim status", "claim accept", "claim list", "claim delete"),
        "test_official_neon_claim.py",
    ),
}
"""Those that need a browser, or a folder without a key."""

TOKEN = "nak_live_00000000000000000000000000000000"
VPC = "--region-id aws-us-east-2 --org-id {org}"
COMMANDS = f"""
link --project-id {{project}} --no-env-pull
set-context --project-id {{project}}
env pull
status
config status
profile create other --api-key {{key}}
profile list
profile rotate-key other
profile remove other --yes
api-keys create --name mine
api-keys list
api-keys revoke {{api_key}}
api /users/me
me
orgs list
projects list
projects create --name second
projects update {{project}} --name renamed
projects get {{project}}
ip-allow list
ip-allow add 127.0.0.1
ip-allow remove 127.0.0.1
ip-allow reset
vpc endpoint list {VPC}
vpc endpoint assign vpce-1 {VPC}
vpc endpoint status vpce-1 {VPC}
vpc endpoint remove vpce-1 {VPC}
vpc project list
vpc project restrict vpce-1
vpc project remove vpce-1
neon-auth status
neon-auth enable
neon-auth disable
neon-auth oauth-provider list
neon-auth oauth-provider add --provider-id google
neon-auth oauth-provider update --provider-id google --oauth-client-id x
neon-auth oauth-provider delete --provider-id google
neon-auth domain list
neon-auth domain add https://example.com
neon-auth domain delete https://example.com
neon-auth domain allow-localhost get
neon-auth domain allow-localhost enable
neon-auth domain allow-localhost disable
neon-auth config email-password get
neon-auth config email-password update --enabled
neon-auth config email-provider get
neon-auth config email-provider update --type shared
neon-auth config email-provider test --recipient-email a@example.com
neon-auth config organization get
neon-auth config organization update --enabled
neon-auth config webhook get
neon-auth config webhook update --enabled
neon-auth plugins list
neon-auth plugins get organization
neon-auth user create --email a@example.com
neon-auth user delete u-1
neon-auth user set-role u-1 --roles admin
branches list
branches create --name dev
branches get dev
branches schema-diff main dev
diff main --branch dev
branches reset dev --parent
branches restore dev main
branches rename dev feature
branches set-expiration feature --expires-at 2999-01-01T00:00:00Z
branches create --name bare --no-compute
branches add-compute bare
databases create --name extra
databases list
databases delete extra
roles create --name carol
roles list
roles delete carol
operations list
logs query
logs fields
logs field-values level
snapshots create --name first --slug v-1
snapshots list
snapshots get v-1
snapshots update v-1 --name second
snapshots restore v-1 --name preview
snapshots finalize preview
snapshots schedule set --frequency daily --hour 3
snapshots schedule get
snapshots delete v-1
inspect db table-sizes
inspect db index-sizes
inspect db unused-indexes
inspect db seq-scans
inspect db long-running-queries
inspect db stalled-queries
inspect db locks
inspect db outliers
inspect db calls
inspect db lfc-hit-rate
inspect db working-set
inspect db vacuum-stats
inspect db bloat
inspect db replication-slots
inspect db subscriptions
connection-string
psql -- -c SELECT
checkout feature --no-env-pull
git install
git status
git sync --no-env-pull
git cleanup
git uninstall
data-api get
data-api create
data-api update --db-max-rows 10
data-api refresh-schema
data-api delete
functions list
functions deploy hello --src functions
functions get hello
functions delete hello
functions domains list
functions domains register docs.example.com --slug hello
functions domains delete docs.example.com
triggers list
triggers create --function-slug hello --name t --bucket photos
triggers get t-1 --branch main
triggers update t-1 --name u --branch main
triggers enable t-1 --branch main
triggers disable t-1 --branch main
triggers delete t-1 --branch main
credentials list
credentials create --scope storage:read
credentials reveal {TOKEN}
credentials rotate {TOKEN}
credentials revoke {TOKEN}
config init --no-install --services none
config plan
config apply --no-env-pull
deploy --no-env-pull
buckets list
buckets create photos
buckets delete photos
buckets object list photos
buckets object get photos/key
buckets object put photos/key --file file.txt
buckets object delete photos/key
completion
branches set-default feature
branches delete main
projects delete {{project}}
projects recover {{project}}
"""


def described() -> dict[str, str]:
    """The heading under which the page has each command."""
    found: dict[str, str] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| `"):
            group, children = (re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:3])
            for child in children or [""]:
                command = f"{group[0]} {child}".strip()
                assert command not in found, f"{command} is on the page twice"
                found[command] = heading
    return found


@pytest.fixture
def neon(neon_server_here: NeonServer, tmp_path: Path) -> Iterator[OfficialCommands]:
    folder, config = tmp_path / "work", tmp_path / "config"
    config.mkdir()
    (folder / "functions").mkdir(parents=True)
    (folder / "functions" / "index.mjs").write_text("export default { fetch() {} };")
    (folder / "file.txt").write_text("content")
    (folder / "node_modules").symlink_to(CLI.parents[2])  # a policy, neon.ts, imports @neon/config
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", folder], check=True)
    environ = {
        **clean_environ(tmp_path),
        **neon_server_here.environment,
        "NODE_EXTRA_CA_CERTS": str(neon_server_here.neon.authority.path),
    }
    with official_commands(folder, config, environ) as commands:
        yield commands


def outcome(status: int, answers: list[int]) -> str:
    """What came of a command, in the page's words."""
    if status == 0:
        return WORKS
    return ABSENT if 501 in answers else NONE if 404 in answers else FAILS


def test_every_subcommand_does_what_its_page_says(
    neon: OfficialCommands, neon_server_here: NeonServer, api: Api
) -> None:
    page = described()
    assert neon.commands | {"completion"} == page.keys()
    project = neon("projects", "create", "--name", "cli", "-o", "json").json()
    api_key = neon("api-keys", "create", "--name", "another", "-o", "json").json()["id"]
    url = project["connection_uris"][0]["connection_uri"]
    ask(url, "CREATE EXTENSION pg_stat_statements")
    names = {
        "project": project["project"]["id"],
        "org": neon_server_here.org_id,
        "key": neon_server_here.key,
        "api_key": str(api_key),
    }
    path = f"/projects/{names['project']}/operations"

    def settled() -> bool:
        operations = api.ok("GET", path)["operations"]
        return all(one["status"] == "finished" for one in operations)

    found: dict[str, str] = {}
    wrong: list[str] = []
    for line in COMMANDS.strip().splitlines():
        arguments = line.format(**names).split()
        command = max((name for name in page if f"{line} ".startswith(f"{name} ")), key=len)
        api.control("DELETE", "/requests")
        done = neon(*arguments)
        requests = api.control("GET", "/requests").json()["requests"]
        found[command] = outcome(done.status, [one["status"] for one in requests])
        if found[command] != page[command]:
            wrong.append(f"{line}: {found[command]}\n{done.stdout[-900:]}{done.stderr[-900:]}")
        if not command.startswith("projects"):
            wait_until(settled, line)  # the next one is not told to wait three seconds
    assert not wrong, "\n".join(wrong)
    unasked = {name for name, heading in page.items() if heading == ELSEWHERE}
    assert page.keys() - found.keys() == unasked | TESTED_THERE.keys()


@pytest.mark.parametrize(("command", "file"), TESTED_THERE.items())
def test_commands_that_other_tests_run(command: str, file: str) -> None:
    source = (Path(__file__).parent / file).read_text(encoding="utf-8")
    assert described()[command] == WORKS
    words = ", ".join(f'"{word}"' for word in command.split())
    assert words in source or f'running("{command}"' in source

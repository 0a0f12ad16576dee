"""Branches."""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from neonup_local.engine import template
from neonup_local.neon import contents, endpoints, ids
from neonup_local.neon.accounts import allowances
from neonup_local.neon.context import Neon
from neonup_local.neon.data import moments, schema_only
from neonup_local.neon.errors import Conflict, NotFound, Unprocessable
from neonup_local.neon.model import Branch, Cluster, Database, Endpoint, Operation, Project, Role
from neonup_local.neon.requests import BranchChanges, CreateBranch, given
from neonup_local.neon.roles import kept
from neonup_local.neon.state.journal import Change, Step

Changed = tuple[Branch, list[Operation]]


def find(neon: Neon, project: Project, id: str) -> Branch:  # noqa: A002
    """A branch of a project.

    Raises:
        NotFound: there is none.
    """
    found = neon.store.get(Branch, id)
    if found is None or found.project_id != project.id:
        raise NotFound("branch not found")
    return found


def default(neon: Neon, project: Project) -> Branch:
    """The project's default branch."""
    return next(one for one in neon.store.all(Branch, project_id=project.id) if one.default)


def create(
    neon: Neon, project: Project, wanted: CreateBranch
) -> tuple[Branch, list[Endpoint], list[Operation]]:
    """A branch with its parent's data as it is now, or as it was at a moment.

    Raises:
        Conflict: there is a branch of that name.
        LimitExceeded: the plan allows no more branches.
        Unprocessable: what is asked for cannot be done here.
    """
    spec = wanted.branch
    _check(wanted)
    allowances.check_branches(neon, project)
    parent = find(neon, project, spec.parent_id) if spec.parent_id else default(neon, project)
    now = neon.clock.now()
    id = ids.branch()  # noqa: A001
    name = free_name(neon, project, spec.name or id)
    if spec.expires_at is not None and spec.expires_at <= now:
        raise Unprocessable("expires_at must be in the future")
    moment = moments.target(neon, project, parent, time=spec.parent_timestamp, lsn=spec.parent_lsn)
    cluster = moments.new_cluster(neon, parent, moment)
    without_rows = spec.init_source != "parent-data"
    is_root = spec.init_source == "schema-only"
    if without_rows:
        engine = neon.clusters.engine_of_id(cluster.engine)
        base = neon.clusters.template_base(engine, now)
        # The parent's roles and databases are created in it under the names that they have.
        cluster = replace(cluster, state="new", bases=[base], own_names=None)
    branch = Branch(
        id=id,
        project_id=project.id,
        name=name,
        cluster_id=cluster.id,
        parent_id=None if is_root else parent.id,
        parent_timestamp=None if is_root else spec.parent_timestamp or now,
        protected=spec.protected,
        expires_at=spec.expires_at,
        created_at=now,
        updated_at=now,
        init_source=spec.init_source,
        annotation=wanted.annotation_value,
    )
    opened: list[Endpoint] = []

    def work() -> Change:
        allowances.check_branches(neon, project, 0)  # another one may have come in between
        neon.computes.refresh(parent)
        if without_rows:
            schema_only.build(neon, parent, branch, cluster)
            neon.store.put(replace(cluster, state="copied"))
            lsn = None
        else:
            lsn = moments.build(neon, parent, cluster, moment)
        roles, databases = contents.inherited(neon.store, parent, branch, now)
        if parent.protected:  # https://neon.com/docs/guides/protected-branches
            roles = [kept(project, _with_new_password(role)) for role in roles]
        ready = replace(branch, state="ready", parent_lsn=lsn, state_changed_at=neon.clock.now())
        size = neon.clusters.data_size(cluster.id) if without_rows else None
        neon.meter.begin(branch, neon.meter.size(parent.id) if size is None else size)
        return Change(put=[ready, *roles, *databases])

    def undo() -> None:
        for endpoint in opened:
            neon.computes.front.close(endpoint.id)
        neon.clusters.remove(cluster.id)

    try:
        for one in wanted.endpoints:
            endpoint = endpoints.new(neon, project, branch, one.type, given(one))
            opened.append(
                endpoint
            )  # at once: it listens already, and is closed where the next fails
    except BaseException:
        undo()
        raise
    steps = [Step("create_branch", branch.id)]
    steps += [Step("start_compute", branch.id, one.id) for one in opened]
    operations = neon.journal.run(
        project.id, steps, work, intent=[cluster, branch, *opened], undo=undo
    )
    return neon.store.get(Branch, branch.id) or branch, opened, operations


def update(neon: Neon, project: Project, branch: Branch, changes: BranchChanges) -> Changed:
    """Rename a branch, protect it, or give it an expiry."""
    values = given(changes)
    now = neon.clock.now()
    if values.get("name", branch.name) != branch.name:
        free_name(neon, project, values["name"])
    if (expires_at := values.get("expires_at")) is not None:
        if branch.default or branch.protected:
            raise Unprocessable("a default or protected branch cannot expire")
        if expires_at <= now:
            raise Unprocessable("expires_at must be in the future")
    with neon.journal.alone(project.id):
        changed = replace(find(neon, project, branch.id), **values, updated_at=now)
        neon.store.put(changed)
    return changed, []


def set_default(neon: Neon, project: Project, branch: Branch) -> Changed:
    """Make a branch the project's default one."""
    now = neon.clock.now()
    with neon.journal.alone(project.id):
        current = find(neon, project, branch.id)
        changed = replace(current, default=True, expires_at=None, updated_at=now)
        others = [
            replace(one, default=False, updated_at=now)
            for one in neon.store.all(Branch, project_id=project.id)
            if one.default and one.id != branch.id
        ]
        neon.store.put(*others, changed)
    return changed, []


def delete(neon: Neon, project: Project, branch: Branch) -> Changed:
    """Delete a branch with its data.

    Raises:
        Unprocessable: it is the default one, protected, or has children.
    """
    _may_go(neon, project, branch)
    id = branch.id  # noqa: A001

    def work() -> Change:
        branch = find(neon, project, id)
        _may_go(neon, project, branch)
        opened = neon.store.all(Endpoint, branch_id=branch.id)
        for endpoint in opened:
            neon.computes.front.close(endpoint.id)
        neon.computes.drop_replicas(branch)
        neon.computes.suspend(branch)
        rows = [
            row
            for kind in (Endpoint, Role, Database)
            for row in neon.store.all(kind, branch_id=branch.id)
        ]
        cluster = neon.store.get(Cluster, branch.cluster_id)
        neon.meter.end(branch)
        return Change(
            delete=[branch, *rows, *([cluster] if cluster else [])],
            after=[
                lambda: neon.clusters.remove(branch.cluster_id),
                *(partial(neon.authority.forget, one.address) for one in opened),
            ],
        )

    operations = neon.journal.run(
        project.id, [Step("suspend_compute", branch.id), Step("delete_timeline", branch.id)], work
    )
    return branch, operations


def _may_go(neon: Neon, project: Project, branch: Branch) -> None:
    if branch.default:
        raise Unprocessable("the default branch cannot be deleted")
    if branch.protected:
        raise Unprocessable("a protected branch cannot be deleted")
    if any(one.parent_id == branch.id for one in neon.store.all(Branch, project_id=project.id)):
        raise Unprocessable("a branch that has child branches cannot be deleted")


def _with_new_password(role: Role) -> Role:
    if role.verifier is None:
        return role
    password = ids.password()
    return replace(role, password=password, verifier=template.scram_verifier(password))


def free_name(neon: Neon, project: Project, name: str) -> str:
    """The name itself, which a new branch can have.

    Raises:
        Conflict: there is a branch of that name.
    """
    if any(one.name == name for one in neon.store.all(Branch, project_id=project.id)):
        raise Conflict("branch already exists")
    return name


def _check(wanted: CreateBranch) -> None:
    spec = wanted.branch
    moment = spec.parent_lsn is not None or spec.parent_timestamp is not None
    if spec.init_source != "parent-data" and moment:
        raise Unprocessable("a branch without rows begins with its parent's current schema")
    if sum(one.type == "read_write" for one in wanted.endpoints) > 1:
        raise Unprocessable("a branch has at most one read_write endpoint")

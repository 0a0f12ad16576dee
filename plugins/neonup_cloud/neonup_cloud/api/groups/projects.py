"""``client.projects``."""

from __future__ import annotations

from typing import Generic

import msgspec

from neonup.plugin.http import Call
from neonup_cloud.api.answers import CreatedProject, Operations, Project, TransferRequest
from neonup_cloud.api.errors import Unavailable
from neonup_cloud.api.groups.group import ApiGroup, S, listing, operation
from neonup_cloud.api.requests import PAGE, Pages, Values, path


class _Cursor(msgspec.Struct):
    cursor: str | None = None


class _Projects(msgspec.Struct):
    projects: list[Project]
    pagination: _Cursor | None = None
    unavailable_project_ids: list[str] = []


class _Project(msgspec.Struct):
    project: Project


class _Uri(msgspec.Struct):
    uri: str


class Projects(ApiGroup[S], Generic[S]):
    """Projects, and their transfer to another account."""

    @listing
    def list(
        self,
        *,
        org_id: str | None = None,
        search: str | None = None,
        recoverable: bool | None = None,
        page: int = PAGE,
    ) -> Pages[Project]:
        """The projects that the key reaches, newest first.

        Args:
            org_id: of this organization; a personal key needs it where the account has several.
                ``NEON_ORG_ID`` if None.
            search: only those whose name or id contains this.
            recoverable: deleted ones that can still be recovered, instead of the others.
            page: how many are asked for at once.

        Raises:
            Unavailable: Neon could not tell of some in time, so the list would have holes.
        """
        return self.api.pages(
            "/projects",
            _Projects,
            _complete,
            # As Neon's own command line does, a page that is not full is taken for the last.
            lambda answer: (
                answer.pagination.cursor
                if answer.pagination and len(answer.projects) >= page
                else None
            ),
            query={
                "org_id": org_id or self.api.org_id,
                "search": search,
                "recoverable": recoverable,
                "limit": page,
            },
        )

    @operation
    def get(self, project_id: str) -> Call[Project]:
        """One project."""
        answer = yield from self.api.send("GET", _of(project_id), _Project)
        return answer.project

    @operation
    def create(
        self,
        *,
        name: str | None = None,
        org_id: str | None = None,
        region_id: str | None = None,
        pg_version: int | None = None,
        store_passwords: bool | None = None,
        history_retention_seconds: int | None = None,
        settings: Values | None = None,
        default_endpoint_settings: Values | None = None,
        branch: Values | None = None,
    ) -> Call[CreatedProject]:
        """A new project with a branch, a role, a database and an endpoint.

        Args:
            name: what people call it; the id if None.
            org_id: whose it is; ``NEON_ORG_ID``, else the key's own account's, if None.
            region_id: where, e.g. ``aws-us-east-2``.
            pg_version: Postgres's major version.
            store_passwords: whether Neon can tell the passwords of its roles.
            history_retention_seconds: how far back its branches can be restored.
            settings: among them ``quota``, ``allowed_ips`` and ``enable_logical_replication``.
            default_endpoint_settings: for its endpoints: ``autoscaling_limit_min_cu``,
                ``autoscaling_limit_max_cu``, ``suspend_timeout_seconds``.
            branch: of its first branch: ``name``, ``role_name``, ``database_name``.

        Raises:
            AnswerLost: it may have been created; look for it before trying again.
        """
        project = {
            "name": name,
            "org_id": org_id or self.api.org_id,
            "region_id": region_id,
            "pg_version": pg_version,
            "store_passwords": store_passwords,
            "history_retention_seconds": history_retention_seconds,
            "settings": settings,
            "default_endpoint_settings": default_endpoint_settings,
            "branch": branch,
        }
        return (
            yield from self.api.send("POST", "/projects", CreatedProject, body={"project": project})
        )

    @operation
    def update(
        self,
        project_id: str,
        *,
        name: str | None = None,
        history_retention_seconds: int | None = None,
        settings: Values | None = None,
        default_endpoint_settings: Values | None = None,
    ) -> Call[Project]:
        """Change a project; what is None stays. For the parameters see `create`."""
        project = {
            "name": name,
            "history_retention_seconds": history_retention_seconds,
            "settings": settings,
            "default_endpoint_settings": default_endpoint_settings,
        }
        answer = yield from self.api.send(
            "PATCH", _of(project_id), _Project, body={"project": project}
        )
        return answer.project

    @operation
    def delete(self, project_id: str) -> Call[None]:
        """Delete a project. Neon can recover it for a while."""
        yield from self.api.delete(_of(project_id))

    @operation
    def recover(self, project_id: str) -> Call[Project]:
        """Bring a deleted project back."""
        answer = yield from self.api.send("POST", f"{_of(project_id)}/recover", _Project)
        return answer.project

    @operation
    def connection_uri(
        self,
        project_id: str,
        *,
        database_name: str,
        role_name: str,
        branch_id: str | None = None,
        endpoint_id: str | None = None,
        pooled: bool = False,
    ) -> Call[str]:
        """How one connects, password included: a secret.

        Args:
            branch_id: the default branch if None.
            endpoint_id: the branch's read_write endpoint if None.
            pooled: through the pooler.
        """
        query = {
            "database_name": database_name,
            "role_name": role_name,
            "branch_id": branch_id,
            "endpoint_id": endpoint_id,
            "pooled": "true" if pooled else "false",
        }
        answer = yield from self.api.send(
            "GET", f"{_of(project_id)}/connection_uri", _Uri, query=query
        )
        return answer.uri

    @operation
    def request_transfer(
        self, project_id: str, *, ttl_seconds: int | None = None
    ) -> Call[TransferRequest]:
        """Offer a project to whoever opens the claim link, or accepts by API.

        Args:
            ttl_seconds: how long the offer stands; a day if None.
        """
        return (
            yield from self.api.send(
                "POST",
                f"{_of(project_id)}/transfer_requests",
                TransferRequest,
                body={"ttl_seconds": ttl_seconds},
            )
        )

    @operation
    def accept_transfer(
        self, project_id: str, request_id: str, *, org_id: str | None = None
    ) -> Call[None]:
        """Take an offered project over, into an organization or the key's own account."""
        yield from self.api.send(
            "PUT",
            path("/projects/{project}/transfer_requests/{id}", project=project_id, id=request_id),
            Operations,
            body={"org_id": org_id},
            repeatable=False,
        )


def _complete(answer: _Projects) -> list[Project]:
    if answer.unavailable_project_ids:
        raise Unavailable(
            f"Neon: {len(answer.unavailable_project_ids)} projects could not be read in time.",
            checked=answer.unavailable_project_ids[:10],
            remedy="Try again.",
        )
    return answer.projects


def _of(project_id: str) -> str:
    return path("/projects/{project_id}", project_id=project_id)

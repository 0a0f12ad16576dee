"""``client.claims``: offering a project to somebody else, and taking one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Generic

import msgspec

from neonup.plugin.http import Call
from neonup_cloud.api import claims, errors
from neonup_cloud.api.answers import Operations, Project, TransferRequest
from neonup_cloud.api.claims import Claim, ClaimState
from neonup_cloud.api.groups.group import ApiGroup, S, operation
from neonup_cloud.api.requests import path


class _Project(msgspec.Struct):
    project: Project


class _Projects(msgspec.Struct):
    projects: list[Project]


class Claims(ApiGroup[S], Generic[S]):
    """A project's way into somebody else's account, as platforms use it."""

    @operation
    def create(
        self, project_id: str, *, ttl_seconds: int | None = None, redirect: str | None = None
    ) -> Call[Claim]:
        """Offer a project to whoever has the claim's link. Earlier offers stay good.

        An offer whose answer was lost is known to nobody, and ends by itself.

        Args:
            ttl_seconds: how long the offer stands; Neon's default, a day, if None.
            redirect: the web page where the new owner goes afterwards.

        Raises:
            Invalid: e.g. the account may not make transfer requests.
            SettingsError: the redirect is not the address of a web page.
        """
        claims.link("", project_id, "", redirect)  # before anything is asked for
        project = yield from self._project(project_id)
        try:
            made = yield from self.api.send(
                "POST",
                path("/projects/{id}/transfer_requests", id=project_id),
                TransferRequest,
                body={"ttl_seconds": ttl_seconds},
                repeatable=True,
            )
        except errors.NeonError as error:
            if "not enabled" in error.message:
                error.remedy = "Ask Neon's support to enable project transfers for your account."
            raise
        return Claim(
            project_id=project_id,
            request_id=made.id,
            link=claims.link(self.api.base, project_id, made.id, redirect),
            expires_at=made.expires_at,
            org_id=project.org_id,
        )

    @operation
    def state(self, claim: Claim) -> Call[ClaimState]:
        """The state of a claim, as its creator sees it.

        Neon does not tell of a transfer request, so it is read from the project: one that is out
        of reach and was not deleted is somebody else's.
        """
        try:
            project = yield from self._project(claim.project_id)
        except errors.NotFound:
            deleted = yield from self._is_deleted(claim)
            return ClaimState.DELETED if deleted else ClaimState.CLAIMED
        if claim.org_id is not None and project.org_id != claim.org_id:
            return ClaimState.CLAIMED
        over = claim.expires_at <= datetime.now(UTC)
        return ClaimState.EXPIRED if over else ClaimState.PENDING

    @operation
    def accept(self, link: str, *, org_id: str | None = None) -> Call[str]:
        """Take the project that a claim link offers, without a browser.

        Args:
            link: as `Claim.link`.
            org_id: for which organization; the key's own account's if None.

        Returns:
            The project's id.

        Raises:
            SettingsError: the text is not a claim link.
            NotFound: there is no such offer.
            Invalid: it was used or has expired, or the plan does not allow the project.
            AnswerLost: it may have been taken; look whether the project is there.
        """
        project_id, request_id = claims.ids_of(link)
        yield from self.api.send(
            "PUT",
            path("/projects/{project}/transfer_requests/{id}", project=project_id, id=request_id),
            Operations,
            body={"org_id": org_id},
            repeatable=False,
        )
        return project_id

    def _project(self, project_id: str) -> Call[Project]:
        answer = yield from self.api.send("GET", path("/projects/{id}", id=project_id), _Project)
        return answer.project

    def _is_deleted(self, claim: Claim) -> Call[bool]:
        query = {"search": claim.project_id, "recoverable": True, "org_id": claim.org_id}
        answer = yield from self.api.send("GET", "/projects", _Projects, query=query)
        return any(project.id == claim.project_id for project in answer.projects)

"""The clients: the groups of operations, and how they are sent."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self

import httpx

from neonup.plugin.http import Sender, drive
from neonup_cloud.api import access
from neonup_cloud.api.awaited import AsyncSender, adrive
from neonup_cloud.api.groups.group import S
from neonup_cloud.api.requests import Api, Values

if TYPE_CHECKING:
    from neonup_cloud.api.groups.branches import Branches
    from neonup_cloud.api.groups.claims import Claims
    from neonup_cloud.api.groups.consumption import Consumption
    from neonup_cloud.api.groups.databases import Databases
    from neonup_cloud.api.groups.endpoints import Endpoints
    from neonup_cloud.api.groups.operations import OperationsOfProject
    from neonup_cloud.api.groups.organization_keys import OrganizationKeys
    from neonup_cloud.api.groups.organizations import Organizations
    from neonup_cloud.api.groups.project_members import ProjectMembers
    from neonup_cloud.api.groups.projects import Projects
    from neonup_cloud.api.groups.roles import Roles
    from neonup_cloud.api.groups.snapshots import Snapshots
    from neonup_cloud.api.groups.users import Users

TIMEOUT = 60.0
"""Seconds that one request may take; a new project takes Neon a few."""
LARGEST_ANSWER = 64_000_000
"""Bytes: a page of 400 projects has one."""


class Groups(Generic[S]):
    """The operations of Neon's API, in groups; without a sender they return calls to compose.

    Most programs use a few, so that each group is imported with its first use.

    Args:
        api: makes the calls.
        sender: sends their requests.
    """

    def __init__(self, api: Api, sender: S):
        self.api = api
        self.sender = sender

    @cached_property
    def projects(self) -> Projects[S]:
        """Projects."""
        from neonup_cloud.api.groups.projects import Projects

        return Projects(self.api, self.sender)

    @cached_property
    def branches(self) -> Branches[S]:
        """Branches, and their points in time."""
        from neonup_cloud.api.groups.branches import Branches

        return Branches(self.api, self.sender)

    @cached_property
    def operations(self) -> OperationsOfProject[S]:
        """What Neon does in the background."""
        from neonup_cloud.api.groups.operations import OperationsOfProject

        return OperationsOfProject(self.api, self.sender)

    @cached_property
    def claims(self) -> Claims[S]:
        """Offers of projects, and taking them."""
        from neonup_cloud.api.groups.claims import Claims

        return Claims(self.api, self.sender)

    @cached_property
    def endpoints(self) -> Endpoints[S]:
        """Compute endpoints."""
        from neonup_cloud.api.groups.endpoints import Endpoints

        return Endpoints(self.api, self.sender)

    @cached_property
    def roles(self) -> Roles[S]:
        """Roles of branches."""
        from neonup_cloud.api.groups.roles import Roles

        return Roles(self.api, self.sender)

    @cached_property
    def databases(self) -> Databases[S]:
        """Databases of branches."""
        from neonup_cloud.api.groups.databases import Databases

        return Databases(self.api, self.sender)

    @cached_property
    def snapshots(self) -> Snapshots[S]:
        """Kept copies of branches."""
        from neonup_cloud.api.groups.snapshots import Snapshots

        return Snapshots(self.api, self.sender)

    @cached_property
    def organizations(self) -> Organizations[S]:
        """Organizations."""
        from neonup_cloud.api.groups.organizations import Organizations

        return Organizations(self.api, self.sender)

    @cached_property
    def organization_keys(self) -> OrganizationKeys[S]:
        """API keys of organizations."""
        from neonup_cloud.api.groups.organization_keys import OrganizationKeys

        return OrganizationKeys(self.api, self.sender)

    @cached_property
    def project_members(self) -> ProjectMembers[S]:
        """Who may use a project."""
        from neonup_cloud.api.groups.project_members import ProjectMembers

        return ProjectMembers(self.api, self.sender)

    @cached_property
    def users(self) -> Users[S]:
        """Who the key belongs to."""
        from neonup_cloud.api.groups.users import Users

        return Users(self.api, self.sender)

    @cached_property
    def consumption(self) -> Consumption[S]:
        """What was consumed."""
        from neonup_cloud.api.groups.consumption import Consumption

        return Consumption(self.api, self.sender)


class NeonClient(Groups[Sender]):
    """Neon's API v2, blocking. Use it in a ``with`` block, or close it.

    What is not given is looked for: see `neonup_cloud.api.access`.

    Args:
        key: an API key or access token.
        base_url: up to and with ``/api/v2``.
        auth: instead of a key: adds what proves who asks to each request.
        org_id: the organization that is meant where none is named.
        timeout: seconds that one request may take as a whole.
        transport: httpx's, e.g. one that goes through a proxy.

    Raises:
        SettingsError: no key was found, or the base URL cannot be used.
    """

    def __init__(
        self,
        key: str | None = None,
        *,
        base_url: str | None = None,
        auth: httpx.Auth | None = None,
        org_id: str | None = None,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ):
        api = Api(access.base_url(base_url), access.org_id(org_id))
        sender = Sender(
            timeout,
            auth=auth or access.auth(key, base=api.base),
            transport=transport,
            largest_body=LARGEST_ANSWER,
        )
        super().__init__(api, sender)

    def request(
        self, method: str, path: str, *, query: Values | None = None, body: Values | None = None
    ) -> Any:
        """Any other operation of the API; the answer as plain data.

        Args:
            method: ``GET``, ``POST`` ...
            path: what follows ``/api/v2``, e.g. ``/regions``.
            query: values that are None are left out.
            body: sent as it is; None in it is null.
        """
        return drive(
            self.api.send(method, path, object, query=query, body=body, nulls=True), self.sender
        )

    def close(self) -> None:
        """Close the connections."""
        self.sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncNeonClient(Groups[AsyncSender]):
    """Neon's API v2 in asyncio. Use it in an ``async with`` block, or close it.

    The parameters and errors are those of `NeonClient`.
    """

    def __init__(
        self,
        key: str | None = None,
        *,
        base_url: str | None = None,
        auth: httpx.Auth | None = None,
        org_id: str | None = None,
        timeout: float = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ):
        api = Api(access.base_url(base_url), access.org_id(org_id))
        sender = AsyncSender(
            timeout,
            auth=auth or access.auth(key, base=api.base),
            transport=transport,
            largest_body=LARGEST_ANSWER,
        )
        super().__init__(api, sender)

    async def request(
        self, method: str, path: str, *, query: Values | None = None, body: Values | None = None
    ) -> Any:
        """As `NeonClient.request`."""
        call = self.api.send(method, path, object, query=query, body=body, nulls=True)
        return await adrive(call, self.sender)

    async def aclose(self) -> None:
        """Close the connections."""
        await self.sender.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

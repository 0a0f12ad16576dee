"""What the front tells clients of an endpoint whose project has used up a quota."""

from __future__ import annotations

from neonup_emulator.neon.compute.authority import Authority
from neonup_emulator.neon.compute.front.messages import Refusal
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.errors import QuotaExceeded
from neonup_emulator.neon.model import Branch, Endpoint, Project
from neonup_emulator.neon.state.store import Store
from neonup_local.engine import account as accounts


def of(
    store: Store, clusters: Clusters, authority: Authority, endpoint: Endpoint, why: QuotaExceeded
) -> Refusal:
    """The refusal; over TLS where the endpoint's server would speak it."""
    project = store.get(Project, endpoint.project_id)
    branch = store.get(Branch, endpoint.branch_id)
    certificate = key = ""
    if project is not None and project.tls and branch is not None:
        # The archive's owner is the data's, which may still be to come.
        account = accounts.of_data(clusters.folder(branch.cluster_id) / "archive")
        certificate, key = map(str, authority.certificate(endpoint.address, account))
    return Refusal(why.message, why.hint, certificate, key)

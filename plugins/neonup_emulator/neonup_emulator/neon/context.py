"""One local Neon: its store, its servers, its front, and the threads that look after them."""

from __future__ import annotations

import threading
from pathlib import Path

from neonup_emulator.neon import recovery
from neonup_emulator.neon.accounts.identity import Identities
from neonup_emulator.neon.accounts.people import People
from neonup_emulator.neon.accounts.signing import Signer
from neonup_emulator.neon.claimable.attempts import Attempts
from neonup_emulator.neon.claimable.prepared import Prepared
from neonup_emulator.neon.compute.addresses import Addresses, Exposed
from neonup_emulator.neon.compute.authority import Authority
from neonup_emulator.neon.compute.computes import Computes
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.model import Endpoint
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.journal import PATIENCE, Journal
from neonup_emulator.neon.state.store import Store
from neonup_local.service import home as homes


class LocalNeon:
    """What the modules of `neonup_emulator.neon` work on.

    Args:
        home: neonup's own folder; the local Neon's is `neon` in it.
        pg_bin: a folder of Postgres programs to use before any other.
        exposed: how other machines reach its endpoints; None where they do not.
        patience: seconds that an answer waits for the work that it tells of.

    Raises:
        ProviderError: the folder cannot be used.
    """

    def __init__(
        self,
        home: Path,
        *,
        pg_bin: Path | None = None,
        exposed: Exposed | None = None,
        patience: float = PATIENCE,
    ):
        folder = home / "neon"
        homes.make_folder(home)
        homes.make_folder(folder)
        self.clock = Clock()
        self.store = Store(folder / "neon.db")
        self.journal = Journal(self.store, self.clock, patience=patience)
        self.people = People(self.store, self.clock)
        self.identity = Identities(self.store, self.clock, self.people, folder)
        self.console_token = homes.secret(folder / "console-token")
        self.signer = Signer(folder / "signing-key.pem")
        self.session_secret = homes.secret(folder / "session-secret")
        self.claim_attempts = Attempts(self.clock)
        self.clusters = Clusters(home, folder, pg_bin=pg_bin)
        self.authority = Authority(folder / "tls")
        self.computes = Computes(home, self.store, self.clusters, self.authority, self.clock)
        self.meter = self.computes.meter
        self.prepared = Prepared(self.store)
        self.addresses = Addresses(self.computes.front, exposed)
        self.upkeep = threading.RLock()
        """Held by whoever does what the time asks for: two at it would find things locked."""

    def start(self) -> None:
        """Clean up after a server that was killed, and take connections.

        Raises:
            ProviderError: no Postgres can be used, or the front cannot be started.
        """
        recovery.recover(self.store, self.clusters, self.clock)
        self.computes.front.start()
        recovery.listen(self.store, self.addresses)

    def stop(self) -> None:
        """Finish what was begun and stop every server; the data stays."""
        self.journal.close()
        self.computes.stop()
        self.meter.write()
        self.computes.front.stop()
        self.store.close()

    def prepare(self) -> bool:
        """Create beforehand what the first project needs; whether new projects will speak TLS.

        Raises:
            ProviderError: no project can be created on this machine.
        """
        engine = self.clusters.engines.for_major(None)
        self.clusters.templates.folder(engine)
        return engine.tls

    def fill(self) -> None:
        """Prepare data directories for the next projects."""
        self.clusters.templates.fill(self.clusters.engines.for_major(None))

    def endpoint_at(self, address: str, port: int) -> Endpoint | None:
        """The endpoint that clients reach at that address; None where there is none."""
        return self.addresses.find(self.store.all(Endpoint), address, port)

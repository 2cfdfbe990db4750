"""Workers that claim over HTTP, told of in the registry as our own tell of themselves."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from boltq import orders, presence
from boltq.client import BoltQ
from boltq.errors import BoltQError

NOTE_SECONDS = 10.0
"""How old the entry of a worker becomes that claims all the time."""

MOST_CLAIMANTS = 1000
"""As many are remembered, those that claimed last; while all of them are fresh no other is told
of, so that nobody fills the registry with names."""


@dataclass(slots=True)
class _Claimant:
    again_at: float
    started_ms: int = 0
    is_ours: bool = True


class Claimants:
    """The workers that claim over this process; safe for threads."""

    def __init__(self, boltq: BoltQ) -> None:
        self._boltq = boltq
        self._lock = Lock()
        # The one that was told of last being the last.
        self._known: OrderedDict[str, _Claimant] = OrderedDict()

    def note(self, worker: str, host: str, queues: Sequence[str], now_ms: int) -> None:
        """Tell that a worker has claimed: rarely, and never in the way of work.

        worker, host: its name and its address. now_ms: the server's clock. Costs nothing but a
        look, and every NOTE_SECONDS one round trip; two the first time.
        """
        moment = time.monotonic()
        claimant = self._due(worker, moment)
        if claimant is None:
            return
        server = self._boltq.server
        if not claimant.started_ms:
            try:
                before = server.registry.report_of(worker)
            except BoltQError:
                return
            process = orders.process_of(before) if before else None
            # One of our own has this name: its entry is the better one.
            claimant.is_ours = process is None or process.via == presence.HTTP
            claimant.started_ms = process.started_ms if process else now_ms
        if not claimant.is_ours:
            claimant.started_ms = 0
            return
        report = presence.Report(
            id=worker,
            host=host,
            pid=0,
            version="",
            queues=dict.fromkeys(queues, 1),
            threads=0,
            started_ms=claimant.started_ms,
            via=presence.HTTP,
        )
        noted = server.registry.note_worker(worker, report.to_bytes(), now_ms)
        orders.note_lost(server, noted.lost)

    def _due(self, worker: str, moment: float) -> _Claimant | None:
        """Return who is to be told of now, and not by another thread."""
        with self._lock:
            claimant = self._known.get(worker)
            if claimant is None:
                if len(self._known) >= MOST_CLAIMANTS:
                    oldest = next(iter(self._known.values()))
                    if moment < oldest.again_at:
                        return None
                    self._known.popitem(last=False)
                claimant = self._known[worker] = _Claimant(0.0)
            if moment < claimant.again_at:
                return None
            claimant.again_at = moment + NOTE_SECONDS
            self._known.move_to_end(worker)
            return claimant

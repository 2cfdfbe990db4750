"""How much the API takes from one request and one connection, and for how long it waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from boltq.settings import Settings

ENVELOPE_BYTES = 64 * 1024
"""What a body may have beside its payload."""

BATCH_BODY_BYTES = 16 * 1024 * 1024

ROOMY: Mapping[str, int] = {"/api/jobs/batch": BATCH_BODY_BYTES}
"""The paths whose bodies may be larger than those of all others, whatever the payload limit is."""

BRIEF, BRIEF_BYTES = ("POST", "/api/jobs"), 1500
"""What a thread may answer while it waits for another answer, see `boltq.api.threads`.

Its handler asks for the next one before it waits. JSON of so few bytes is never nested so deeply
that it could not be read on top of others.
"""

_USUAL = Settings()


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of requests and connections."""

    payload_bytes: int = _USUAL.api_payload_bytes
    header_bytes: int = _USUAL.api_header_bytes
    connections: int = _USUAL.api_connections
    idle_seconds: float = _USUAL.api_idle_seconds

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the limits that the settings name."""
        return cls(
            settings.api_payload_bytes,
            settings.api_header_bytes,
            settings.api_connections,
            settings.api_idle_seconds,
        )

    @property
    def body_bytes(self) -> int:
        """The largest body, but at the paths that are roomy."""
        return self.payload_bytes + ENVELOPE_BYTES

    @property
    def transfer_seconds(self) -> float:
        """How long a body may take to arrive, and an answer to be read."""
        return 3 * self.idle_seconds

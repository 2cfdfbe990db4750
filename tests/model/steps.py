"""What directed rules are made of: a job of one's own, leased, reported, let go."""

from typing import Any

from machine import Machine
from queue_keys import HOUR_MS

LEASE_MS = 10_000
LATER_MS = 3 * HOUR_MS


class Steps(Machine):
    """The machine with longer steps, that say by themselves what has to come out."""

    def add(self, *ids: str, delay_ms: int = 0, **options: Any) -> None:
        told = {"base_ms": 0, "retention_ms": HOUR_MS, "delay_ms": delay_ms, **options}
        words = " ".join(f"{name}={value}" for name, value in told.items() if value != "")
        jobs = [part for id in ids for part in (id, "echo", f"of {id}", "")]
        self.request("enqueue", words, *jobs)

    def ready(self) -> None:
        """Let the queue hand out jobs, and keep those that end."""
        kept = [
            f"keep_{end}{of}" for end in ("completed", "cancelled", "dead") for of in ("", "_ms")
        ]
        names = ("paused", "result_bytes", "payload_bytes", *kept)
        self.request("configure", *(part for name in names for part in (name, "")))

    def take(self, id: str) -> str:
        """Claim until this job comes; its token. Others that come are left leased."""
        for _ in range(200):
            token = self.new_token()
            told = self.request("claim", token, "w1", LEASE_MS, 100, 4_000_000)
            assert told[0] == "CLAIMED", told
            handed = told[4::11]
            assert len(set(handed)) == len(handed)
            if id in handed:
                return token
        raise AssertionError(f"{id} was never handed out")

    def fresh(self, **options: Any) -> tuple[str, str]:
        """A job of its own, leased: its id and its token."""
        id = self.new_id()
        self.ready()
        self.add(id, **options)
        return id, self.take(id)

    def report(self, verb: str, id: str, token: str) -> str:
        """Report on one job; the word of the answer."""
        more = {
            "ack": ("",),
            "fail": ("E", "m", "s", "", 0),
            "release": (0,),
            "extend": (),
        }[verb]
        first = (LEASE_MS, "") if verb == "extend" else ("",)
        word: str = self.request(verb, *first, id, token, *more)[2]
        return word

    def state(self, id: str) -> str:
        told = self.send("inspect", 0, id)
        return str(told[4]) if told[2] == "JOB" else told[2]

    def lapse(self, id: str) -> None:
        """Let leases run out, this one among them."""
        assert self.state(id) == "running"
        self.pass_ms(LATER_MS)

    def reap_all(self) -> None:
        while self.send("reap", 500)[4]:
            pass

"""For tests of an app: its jobs run for real, in the test, on queues of their own.

    from boltq import testing

    def test_a_new_customer_is_greeted():
        with testing.scratch(app) as queues:
            sign_up("a@example.com")
            assert queues.enqueued(send_email) == [{"recipient": "a@example.com"}]
            queues.drain()

With pytest the fixture `boltq_scratch` does the same: `queues = boltq_scratch(app)`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boltq.testing.inline import NeverIdle, NoHandler, Ran
    from boltq.testing.queues import Scratch, scratch
    from boltq.testing.unit import current

__all__ = ["NeverIdle", "NoHandler", "Ran", "Scratch", "current", "scratch"]

_HOMES = {
    "NeverIdle": "boltq.testing.inline",
    "NoHandler": "boltq.testing.inline",
    "Ran": "boltq.testing.inline",
    "Scratch": "boltq.testing.queues",
    "current": "boltq.testing.unit",
    "scratch": "boltq.testing.queues",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'boltq.testing' has no attribute {name!r}")
    # Each pytest of the environment imports this package for its plugin, BoltQ's user or not.
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)

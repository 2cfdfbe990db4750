"""The fixture that pytest finds once BoltQ is installed."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from boltq.client import BoltQ
    from boltq.testing.queues import Scratch


@pytest.fixture
def boltq_scratch() -> "Iterator[Callable[[BoltQ], Scratch]]":
    """Give apps queues of their own until the test ends.

        def test_a_mail_is_sent(boltq_scratch):
            queues = boltq_scratch(app)
            send_email.enqueue("a@example.com")
            queues.drain()
            assert outbox == ["a@example.com"]

    It can be called for each of several apps. See `boltq.testing.scratch`.
    """
    with ExitStack() as stack:

        def start(app: "BoltQ") -> "Scratch":
            # Not above: pytest imports this module in every project, for those who never use it.
            from boltq.testing.queues import scratch  # noqa: PLC0415

            return stack.enter_context(scratch(app))

        yield start

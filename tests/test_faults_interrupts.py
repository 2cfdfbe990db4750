"""A call that is broken off at any moment, by a signal or by another thread.

Ctrl-C, the time limit of a web framework, a job that is to stop: the client goes on, and no call is
ever given the answer to another.
"""

import ctypes
import signal
import threading
from itertools import count, takewhile
from typing import Any

import pytest
import redis
from line import Line
from queue_state import QueueState
from servers import TestServer, until
from told_apart import ask, heard, line, own, q

from boltq import scripts
from boltq.embedded import Embedded

__all__ = ["line", "own", "q"]


class Interrupted(BaseException):
    """Raised in the midst of a call, as Ctrl-C or the time limit of a framework is."""


@pytest.mark.parametrize("how", ["call", "round trip"])
def test_an_answer_that_nobody_waited_for_is_never_that_of_the_next_call(
    q: QueueState, line: Line, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    q.call(ask(q, 0))
    kind = q.server._redis.connection_pool.connection_class
    read = kind.hear
    reads = iter(range(100))

    def broken_off(connection: Any) -> Any:
        # Of a round trip the first answer has been read, and the second is on its way.
        if next(reads) == (1 if how == "round trip" else 0):
            raise Interrupted
        return read(connection)

    line.slow(0.05)  # so that no answer is there yet when the next call is sent
    with monkeypatch.context() as patched:
        patched.setattr(kind, "hear", broken_off)
        with pytest.raises(Interrupted):
            q.call(ask(q, 1)) if how == "call" else q.server.call_all([ask(q, 1), ask(q, 2)])
    assert heard(q.call(ask(q, 3))) == b"3"
    assert [heard(reply) for reply in q.server.call_all([ask(q, 4), ask(q, 5)])] == [b"4", b"5"]


@pytest.mark.cluster
def test_nor_is_it_in_a_cluster(
    cluster: TestServer, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    q = QueueState(cluster, queue)
    items = [scripts.EnqueueItem(f"j{n}", "echo", b"%d" % n, b"") for n in range(3)]
    q.call(scripts.enqueue(queue, items, delay_ms=0))
    q.call(ask(q, 0))

    def broken_off(*_arguments: Any, **_options: Any) -> Any:
        raise Interrupted

    node = redis.Redis(unix_socket_path=str(holder(cluster, q).socket_path), protocol=2)
    node.client_pause(100)  # so that no answer is there yet when the next call is sent
    with monkeypatch.context() as patched:
        patched.setattr(redis.Redis, "parse_response", broken_off)
        with pytest.raises(Interrupted):
            q.call(ask(q, 1))
    assert heard(q.call(ask(q, 2))) == b"2"
    node.close()
    q.forget()
    q.server.close()


def holder(cluster: TestServer, q: QueueState) -> Embedded:
    """The node of the cluster that holds the queue."""
    port = q.raw.get_node_from_key(q.key("jobs")).port
    return next(node.embedded for node in cluster.nodes if node.port == port)


# A socket whose making was interrupted is closed by the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_calls_interrupted_at_any_moment_cross_no_answers(q: QueueState) -> None:
    armed = threading.Event()
    ended = threading.Event()

    def interrupt(_number: int, _frame: object) -> None:
        if armed.is_set():
            armed.clear()
            raise Interrupted

    def send() -> None:
        pause = 0.0
        while not ended.is_set():
            if armed.wait(0.01):
                pause = (pause + 0.00001) % 0.0003  # a call takes about so long
                ended.wait(pause)
                signal.pthread_kill(main, signal.SIGUSR1)

    main = threading.get_ident()
    before = signal.signal(signal.SIGUSR1, interrupt)
    sender = threading.Thread(target=send)
    sender.start()
    interrupted = 0
    try:
        # More where the sender is late.
        for n in takewhile(lambda n: n < 600 or interrupted <= 20, count()):  # noqa: B023 - it grows
            try:
                armed.set()
                told = q.call(ask(q, n % 20))
                armed.clear()
            except Interrupted:
                interrupted += 1
                continue
            assert heard(told) == b"%d" % (n % 20)
    finally:
        armed.clear()
        ended.set()
        sender.join()
        signal.signal(signal.SIGUSR1, before)
    assert heard(q.call(ask(q, 7))) == b"7"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_exceptions_thrown_into_a_thread_leave_the_client_in_order(q: QueueState) -> None:
    wrong: list[bytes] = []
    rounds = iter(range(10**9))
    ended = threading.Event()
    thrown = 0

    def call() -> None:
        while not ended.is_set():
            try:
                while not ended.is_set():
                    n = next(rounds) % 20
                    told = heard(q.call(ask(q, n)))
                    if told != b"%d" % n:
                        wrong.append(told)
            except Interrupted:
                continue

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        while thrown < 40 and thread.is_alive():
            assert thread.ident
            done = next(rounds)
            ident = ctypes.c_ulong(thread.ident)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Interrupted))
            thrown += 1
            until(lambda done=done: not thread.is_alive() or next(rounds) > done + 4)
    finally:
        ended.set()
        thread.join(10)
    assert wrong == []
    assert heard(q.call(ask(q, 7))) == b"7"

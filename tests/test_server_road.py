"""The road to Redis: what is sent again, what is named, and what is left alone."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from line import line_to
from redis._parsers.base import BaseParser
from servers import TestServer, until

from boltq import BoltQ, address, ids, scripts
from boltq.errors import BadArgument, Corrupt, NotAllowed, ServerFull, TooLarge, Unavailable
from boltq.evalsha import Bells, Server
from boltq.evalsha import server as of_server
from boltq.evalsha.connect import named

KINDS = ["redis", "valkey"]
Private = Callable[..., TestServer]


@pytest.fixture(params=KINDS)
def private(request: pytest.FixtureRequest, private_server: Private) -> TestServer:
    return private_server(request.param)


@pytest.fixture(autouse=True)
def opened() -> Iterator[None]:
    """Close at the end of a test what it opened."""
    yield
    while _OPENED:
        _OPENED.pop().close()


_OPENED: list[Server | BoltQ] = []


def to(place: address.Address | str, **options: Any) -> Server:
    road = Server(address.parse(place) if isinstance(place, str) else place, **options)
    _OPENED.append(road)
    return road


def on(server: TestServer, **options: Any) -> Server:
    return to(server.address, **options)


def app_on(place: str, **options: Any) -> BoltQ:
    app = BoltQ(place, **options)
    _OPENED.append(app)
    return app


def items(*given: str, payload: bytes = b"1") -> list[scripts.EnqueueItem]:
    return [scripts.EnqueueItem(one, "echo", payload, b"") for one in given]


def executed(server: TestServer) -> int:
    return int(server.raw().info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0))


def test_a_request_whose_answer_was_lost_is_sent_again_and_done_once(
    private: TestServer, tmp_path: Path, queue: str
) -> None:
    assert private.embedded
    with line_to(private.embedded.socket_path, tmp_path) as line:
        line.lose("enqueue", 2)
        road = to(line.address, patience_seconds=30)
        reply = road.call(scripts.enqueue(queue, items("a"), delay_ms=0))
    # The second and third try found the job there: only the ids made that harmless.
    assert reply.answers == [scripts.EnqueueDuplicate("a")]
    assert executed(private) == 4  # one NOSCRIPT, three runs
    assert on(private).call(scripts.stats(queue)).enqueued_total == 1


def test_a_claim_whose_answer_was_lost_leases_no_second_batch(
    private: TestServer, tmp_path: Path, queue: str
) -> None:
    assert private.embedded
    direct = on(private)
    direct.call(scripts.enqueue(queue, items(*(f"j{n}" for n in range(20))), delay_ms=0))
    claim = scripts.claim(
        queue, token=ids.new_token(), worker="w", lease_ms=30_000, limit=5, max_bytes=10_000
    )
    with line_to(private.embedded.socket_path, tmp_path) as line:
        line.lose("claim", 3)
        road = to(line.address, patience_seconds=30)
        claimed = road.call(claim)
    assert isinstance(claimed, scripts.Claimed)
    assert [job.id for job in claimed.answers] == ["j0", "j1", "j2", "j3", "j4"]
    stats = direct.call(scripts.stats(queue))
    assert (stats.running, stats.queued) == (5, 15)


def test_who_gives_up_hears_which_ids_are_unknown(
    private: TestServer, tmp_path: Path, queue: str
) -> None:
    assert private.embedded
    on(private).call(scripts.stats(queue))
    with line_to(private.embedded.socket_path, tmp_path) as line:
        line.lose("enqueue", 10**6)
        app = app_on(line.address, patience_seconds=0.1)
        with pytest.raises(Unavailable) as unknown:
            app.enqueue("echo", queue=queue, id="a")
    assert unknown.value.unknown_ids == (f"{queue}:a",)
    assert app_on(private.address).enqueue("echo", queue=queue, id="a").created is False


def test_nobody_there_is_said_within_the_patience(tmp_path: Path) -> None:
    road = to(f"unix://{tmp_path}/none", patience_seconds=0.1)
    with pytest.raises(Unavailable, match=f"Redis at unix://{tmp_path}/none does not answer"):
        road.call(scripts.stats("q"))
    with pytest.raises(Unavailable):
        road.ping()


def test_the_same_client_goes_on_when_the_server_is_back(
    private_server: Private, queue: str
) -> None:
    server = private_server("valkey", persistent=True)
    assert server.embedded
    road = on(server, patience_seconds=30)
    road.call(scripts.enqueue(queue, items("a"), delay_ms=0))
    server.embedded.kill()
    heard: list[scripts.Stats] = []
    waiting = threading.Thread(target=lambda: heard.append(road.call(scripts.stats(queue))))
    waiting.start()
    # Here, since the server ends with the thread that started it.
    server.embedded.start()
    waiting.join(40)
    # It waited, found no script on the new server, loaded it, and saw the job of before.
    assert [stats.queued for stats in heard] == [1]


def test_a_wrong_password_is_named_at_once_and_not_shown(private: TestServer, queue: str) -> None:
    raw = private.raw()
    raw.config_set("requirepass", "right-one")
    place = address.parse(private.address.replace("unix://", "unix://:wrong-one@"))
    road = to(place, patience_seconds=60)
    with pytest.raises(NotAllowed) as refused:
        road.call(scripts.stats(queue))
    assert "wrong-one" not in str(refused.value)
    raw.config_set("requirepass", "")


def test_a_user_who_lacks_a_command_of_a_script_is_named(private: TestServer, queue: str) -> None:
    rule = ("on", "nopass", "~*", "+@all", "-zcard")
    private.raw().execute_command("ACL", "SETUSER", "poor", *rule)
    place = address.parse(private.address.replace("unix://", "unix://poor:x@"))
    with pytest.raises(NotAllowed, match="refused: "):
        to(place).call(scripts.stats(queue))


@pytest.mark.parametrize(
    "said",
    [
        "BUSY Redis is busy running a script.",
        "READONLY You can't write against a read only replica.",
        "MASTERDOWN Link with MASTER is down",
        "CLUSTERDOWN The cluster is down",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "NOREPLICAS Not enough good replicas to write.",
        "MISCONF Errors writing to the AOF file",
        "NOSCRIPT No matching script.",
        "ERR max number of clients reached",
    ],
)
def test_what_means_not_now_is_repeated(said: str) -> None:
    assert isinstance(named(BaseParser.parse_error(said), "here"), Unavailable)


def test_a_full_server_is_named(private: TestServer, queue: str) -> None:
    road = on(private)
    road.call(scripts.enqueue(queue, items("a"), delay_ms=0))
    private.raw().config_set("maxmemory", "1mb")
    with pytest.raises(ServerFull, match="is full: it takes no new jobs"):
        road.call(scripts.enqueue(queue, items("b"), delay_ms=0))
    assert road.call(scripts.stats(queue)).queued == 1


def test_a_key_of_another_make_is_named(server: TestServer, queue: str) -> None:
    server.raw().set(f"boltq1:{{{queue}}}:queued", "mine")
    with pytest.raises(Corrupt, match=r"could not run a script: .*WRONGTYPE"):
        on(server).call(scripts.stats(queue))


def test_calls_of_one_round_trip_are_answered_each_for_itself(
    server: TestServer, queue: str
) -> None:
    road = on(server)
    # The calls of a round trip may not lean on each other: one whose script is not there is late.
    road.call(scripts.enqueue(f"{queue}-other", items("a"), delay_ms=0))
    road.call(scripts.stats(queue))
    server.raw().set(f"boltq1:{{{queue}-broken}}:queued", "mine")
    made, bad, broken, large, counted = road.call_all(
        [
            scripts.enqueue(queue, items("a"), delay_ms=0),
            scripts.enqueue(queue, items("b c"), delay_ms=0),
            scripts.stats(f"{queue}-broken"),
            scripts.enqueue(queue, items("d", payload=b"x" * 1_048_577), delay_ms=0),
            scripts.stats(queue),
        ]
    )
    assert made.answers == [scripts.EnqueueCreated("a")]
    assert isinstance(bad, BadArgument)
    assert isinstance(broken, Corrupt)
    assert isinstance(large, TooLarge)
    assert counted.queued == 1


def test_scripts_that_the_server_forgot_are_loaded_again_also_in_a_round_trip(
    private: TestServer, queue: str
) -> None:
    road = on(private)
    calls = [scripts.enqueue(queue, items("a"), delay_ms=0), scripts.stats(queue)]
    for _ in range(2):
        private.raw().script_flush()
        answers = road.call_all(calls)
        assert not [answer for answer in answers if isinstance(answer, Exception)]
    private.raw().script_flush()
    assert road.call(scripts.stats(queue)).enqueued_total == 1


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_what_is_sent_may_be_of_any_kind_of_bytes(
    server: TestServer, queue: str, kind: Callable[[bytes], Any]
) -> None:
    road = on(server)
    payload = b"\0\r\n$1\r\n\xff"
    road.call(scripts.enqueue(queue, items("a", payload=kind(payload)), delay_ms=0))
    road.call_all([scripts.enqueue(queue, items("b", payload=kind(payload)), delay_ms=0)])
    asked = [scripts.InspectItem("a"), scripts.InspectItem("b")]
    told = road.call(scripts.inspect(queue, asked, with_payload=1)).answers
    assert [one.payload for one in told] == [payload, payload]


def test_the_queues_that_were_called_once_are_not_remembered_for_ever(
    server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_server, "MOST_HEADS", 10)
    road = on(server)
    for n in range(35):
        assert road.call(scripts.stats(f"unused-{n}")).queued == 0
    assert 0 < len(road._heads) <= 10


def test_a_bell_wakes_who_waits_and_says_of_which_queue(server: TestServer, queue: str) -> None:
    road, heard = on(server), list[str]()
    bells = Bells(road)
    assert bells.wait([queue], 0.01) is None

    def listen() -> None:
        while not heard:  # each time for 2 s at most
            if rung := bells.wait([f"{queue}-b", queue], 2):
                heard.append(rung)

    waiting = threading.Thread(target=listen, daemon=True)
    waiting.start()
    raw = server.raw()
    until(lambda: raw.info("clients")["blocked_clients"] > 0)
    road.call(scripts.enqueue(queue, items("a"), delay_ms=0))
    waiting.join(30)
    assert heard == [queue]
    bells.close()


def test_queues_are_noted_outside_of_every_queue(server: TestServer, queue: str) -> None:
    road = on(server, prefix=f"p-{ids.new_token()}")
    road.note_queue(queue, road.now_ms())
    assert road.queues() == [queue]
    assert server.raw().zrange(f"{road.prefix}1:queues", 0, -1) == [queue.encode()]

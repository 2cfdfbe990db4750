"""Any number of jobs handed in at once: while a batch is under way, the next one is made."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from line import Line, line_to
from servers import TestServer

from boltq import BoltQ, NewJob, ids, scripts
from boltq.errors import BadArgument, Unavailable


@pytest.fixture
def app(server: TestServer) -> Iterator[BoltQ]:
    client = BoltQ(server.address, patience_seconds=2)
    yield client
    client.close()


@pytest.fixture
def own(private_server: Callable[..., TestServer]) -> TestServer:
    return private_server("valkey")


@pytest.fixture
def line(own: TestServer, tmp_path: Path) -> Iterator[Line]:
    assert own.embedded
    with line_to(own.embedded.socket_path, tmp_path) as line:
        yield line


@pytest.fixture
def through(line: Line) -> Iterator[BoltQ]:
    """A client at the other end of the line."""
    client = BoltQ(line.address, patience_seconds=0.3)
    yield client
    client.close()


def echoes(count: int) -> Iterator[NewJob]:
    return (NewJob("echo", n) for n in range(count))


def test_progress_is_told_after_each_round_trip(app: BoltQ, queue: str) -> None:
    told: list[int] = []
    assert app.enqueue_many(echoes(1200), queue=queue, progress=told.append) == 1200
    assert told == [500, 1000, 1200]
    assert app.stats(queue).queued == 1200


def test_a_declared_job_tells_its_progress_too(app: BoltQ, queue: str) -> None:
    @app.job("double", queue=queue)
    def double(n: int) -> int:
        return 2 * n

    told: list[int] = []
    assert double.enqueue_many(({"n": n} for n in range(600)), progress=told.append) == 600
    assert told == [500, 600]


def test_jobs_that_were_known_are_answered_and_not_counted(app: BoltQ, queue: str) -> None:
    told: list[int] = []
    names = [f"a{n}" for n in range(600)]
    app.enqueue_many((NewJob("echo", id=name) for name in names[:100]), queue=queue)
    jobs = (NewJob("echo", id=name) for name in names)
    assert app.enqueue_many(jobs, queue=queue, progress=told.append) == 500
    assert told == [500, 600]


def test_they_come_in_the_order_in_which_they_were_handed_in(app: BoltQ, queue: str) -> None:
    app.enqueue_many(echoes(1100), queue=queue)
    page = app.list("queued", queue=queue, newest=False, limit=200)
    assert [app.get(job.id).payload for job in page.jobs[:3]] == [b"0", b"1", b"2"]
    (last,) = app.list("queued", queue=queue, limit=1).jobs
    assert app.get(last.id).payload == b"1099"


def test_they_are_read_no_further_ahead_of_the_answers_than_two_batches(
    app: BoltQ, queue: str
) -> None:
    read = itertools.count()
    jobs = (NewJob("echo", next(read)) for _ in range(3000))
    ahead: list[int] = []

    def note(answered: int) -> None:
        ahead.append(next(read) - answered)

    app.enqueue_many(jobs, queue=queue, progress=note)
    assert max(ahead) <= 510


def test_what_was_sent_is_in_and_told_also_where_reading_on_raises(app: BoltQ, queue: str) -> None:
    def jobs() -> Iterator[NewJob]:
        yield from echoes(700)
        raise ZeroDivisionError

    told: list[int] = []
    with pytest.raises(ZeroDivisionError):
        app.enqueue_many(jobs(), queue=queue, progress=told.append)
    assert told == [500]
    assert app.stats(queue).queued == 500


def test_a_batch_that_is_refused_is_named_and_nothing_follows_it(app: BoltQ, queue: str) -> None:
    jobs = [*echoes(500), NewJob("no type", 1), *echoes(600)]
    told: list[int] = []
    with pytest.raises(BadArgument, match="item 1: type"):
        app.enqueue_many(jobs, queue=queue, progress=told.append)
    assert told == [500]
    assert app.stats(queue).queued == 500


def test_broken_off_in_the_midst_the_next_call_has_its_own_answer(app: BoltQ, queue: str) -> None:
    def jobs() -> Iterator[NewJob]:
        yield from echoes(700)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        app.enqueue_many(jobs(), queue=queue)
    assert not app.server._redis.connection_pool._get_in_use_connections()
    assert app.stats(queue).queued in {0, 500}  # nobody has heard


def test_scripts_that_were_flushed_are_loaded_again(
    own: TestServer, queue: str, through: BoltQ
) -> None:
    def flush(_: int) -> None:
        own.raw().script_flush()

    assert through.enqueue_many(echoes(1500), queue=queue, progress=flush) == 1500
    assert through.stats(queue).queued == 1500


def test_an_answer_that_is_lost_is_asked_for_again_and_no_job_is_made_twice(
    queue: str, line: Line, through: BoltQ
) -> None:
    through.enqueue_many(echoes(1), queue=queue)
    line.lose("enqueue", 1)
    # Of the batch whose answer was lost all are known when it is sent again.
    assert through.enqueue_many(echoes(1200), queue=queue) == 700
    assert through.stats(queue).queued == 1201


def test_where_the_server_stays_away_the_jobs_of_the_batch_are_named(
    queue: str, line: Line, through: BoltQ
) -> None:
    names = ids.new_ids(1200)
    line.lose("enqueue", 1000)
    with pytest.raises(Unavailable) as told:
        through.enqueue_many((NewJob("echo", id=name) for name in names), queue=queue)
    assert told.value.unknown_ids == tuple(f"{queue}:{name}" for name in names[:500])


def test_no_connection_is_left_in_use(app: BoltQ, queue: str) -> None:
    app.enqueue_many(echoes(1200), queue=queue)
    pool = app.server._redis.connection_pool
    known = set(pool._get_free_connections())
    assert known  # nor lost, so that the collector of garbage closes it
    app.enqueue_many(echoes(1200), queue=queue)
    assert set(pool._get_free_connections()) == known
    assert not pool._get_in_use_connections()


@pytest.mark.cluster
def test_in_a_cluster_each_batch_finds_its_node(cluster: TestServer, queue: str) -> None:
    told: list[int] = []
    app = BoltQ(cluster.address)
    assert app.enqueue_many(echoes(600), queue=queue, progress=told.append) == 600
    assert told == [500, 600]
    app.purge("queued", queue)
    app.drop_queue(queue)
    app.close()


def test_ids_of_a_stream_are_of_the_second_in_which_they_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_800_000_000.0]
    monkeypatch.setattr(ids.time, "time", lambda: now[0])
    stream = ids.stream()
    first = [next(stream) for _ in range(ids.STREAM_IDS + 5)]
    now[0] += 1
    next(stream)  # it was made before
    later = [next(stream) for _ in range(5)]
    assert len({*first, *later}) == ids.STREAM_IDS + 10
    assert {one[:14] for one in first} == {"20270115080000"}
    assert {one[:14] for one in later} == {"20270115080001"}


def test_a_call_that_was_begun_and_dropped_leaves_its_connection_to_others(app: BoltQ) -> None:
    server = app.server
    server.ping()
    pool = server._redis.connection_pool
    under_way = server.begin(scripts.stats("default"))
    assert len(pool._get_in_use_connections()) == 1
    under_way.drop()
    assert not pool._get_in_use_connections()
    assert server.call(scripts.stats("default")).now_ms > 0

"""BoltQ's types as an author of jobs sees them: read by type checkers, run by nobody.

A line that ends in `# refused` must be an error of each checker, and no other line may be one.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from boltq import Backoff, BoltQ, Declared, Enqueued, Execution, Job, current_job

app = BoltQ()


@app.job("email", max_attempts=5, queue="mail", backoff=Backoff(base_seconds=5))
def send_email(recipient: str, subject: str = "", *, copies: int = 1) -> int:
    return len(recipient + subject) * copies


@app.job("report", with_job=True)
def report(job: Execution, month: str) -> list[str]:
    if job.cancelled or job.remaining() < 1:
        job.retry("not now", after=timedelta(minutes=5), count=False)
    if not month:
        job.fail_for_good("a report is of a month")
    return [month, *job.headers]


@app.job("untyped")
def untyped(name):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - some write so
    return name


@app.job("tick")
def tick() -> None:
    assert_type(current_job(), Execution)
    assert_type(current_job().attempt, int)


# A declared function keeps its type.
assert_type(send_email("a@b.c", copies=2), int)
assert_type(tick(), None)
assert_type(report("may"), list[str])
send_email(1)  # refused
send_email("a@b.c", copy=2)  # refused
report()  # refused

# Its enqueue takes the same arguments, and knows the result.
assert_type(send_email.enqueue("a@b.c", subject="hi"), Enqueued[int])
assert_type(send_email.enqueue("a@b.c").result(timeout=5), int)
assert_type(report.enqueue(month="may"), Enqueued[list[str]])
assert_type(tick.enqueue(), Enqueued[None])
untyped.enqueue("Ada")
send_email.enqueue()  # refused
send_email.enqueue(recipient=5)  # refused
send_email.enqueue("a@b.c", copies="2")  # refused
send_email.enqueue("a@b.c", delay=5)  # refused
report.enqueue("may", "june")  # refused
tick.enqueue(1)  # refused

# Options stand apart from the arguments.
later = send_email.options(delay=timedelta(hours=1), priority=7, id="order-1")
assert_type(later.enqueue("a@b.c"), Enqueued[int])
send_email.options(delay=60, queue="x", headers={"tenant": "acme"}).enqueue("a@b.c")
send_email.options(run_at=datetime.now(UTC)).enqueue("a@b.c")
send_email.options(delay="60")  # refused
send_email.options(prority=7)  # refused
app.job("x", id="one")  # refused

# Many at once.
assert_type(send_email.enqueue_many({"recipient": str(n)} for n in range(9)), int)
assert_type(send_email.arguments("a@b.c"), dict[str, Any])
send_email.arguments(5)  # refused
for one in send_email.enqueue_each([{"recipient": "a@b.c"}]):
    assert_type(one, Enqueued[int])

# Following a job.
job = send_email.enqueue("a@b.c")
assert_type(job.get(), Job)
assert_type(job.wait(5), Job)
assert_type(job.states(), Iterator[Job])
assert_type(app.follow(job.id), Enqueued[Any])
job.wait("5")  # refused


# A declared function may be passed on where its plain form may.
def call(function: Callable[[str], int]) -> int:
    return function("a@b.c")


call(send_email)


def enqueue_later(declared: Declared[[str], list[str]]) -> Enqueued[list[str]]:
    return declared.options(delay=60).enqueue("may")


enqueue_later(report)
enqueue_later(tick)  # refused


# Hooks and middleware.
@app.on_start
def connect() -> None: ...


@app.around
def timed(_job: Execution, call: Callable[[], Any]) -> Any:
    return call()


@app.around  # refused
def wrong(job: str) -> None: ...


@app.job("c", with_job=True)  # refused
def takes_no_job(month: str) -> None: ...

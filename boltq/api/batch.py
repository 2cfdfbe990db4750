"""Many jobs in one request, all or nothing or each for itself."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple

import falcon
import msgspec

from boltq import errors, ids, newjob, scripts
from boltq.api import requests
from boltq.api.answers import send
from boltq.api.bodies import BATCH_BODY_BYTES, LINES, json_body
from boltq.api.carried import carried, with_carried
from boltq.api.idempotency import MEMBER, REPLAYED, Key, key_of
from boltq.api.middleware import note
from boltq.api.problems import BadField
from boltq.api.redaction import Redaction
from boltq.call import Call
from boltq.client import BoltQ

MOST_JOBS = 1000
INSPECTED = 100


class _Item(NamedTuple):
    """A job of the request at its place, from 1, as the script takes it."""

    place: int
    queue: str
    common: scripts.EnqueueOptions
    item: scripts.EnqueueItem


class _Sent(NamedTuple):
    call: Call[Any]
    items: list[_Item]


Results = dict[int, dict[str, object]]
"""By the place of a job, what became of it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """POST /api/jobs/batch?mode=each|all."""

    boltq: BoltQ

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Enqueue up to 1,000 jobs, an array of JSON or a line each.

        mode=each: each for itself, 200 and what became of each. mode=all: all or, with the refusal
        of the first bad one, none; 202. Then they go in one call of the script, so they share their
        queue and options.
        """
        body = json_body(req, BATCH_BODY_BYTES, LINES)
        whole = requests.read_mode(req.get_param("mode")) == "all"
        key = key_of(req, body)
        results: Results = {}
        with key.in_flight() if key else nullcontext():
            items = list(
                self._read(
                    _split(req, body),
                    key,
                    carried(req),
                    None if whole else results,
                    req.context.redaction,
                )
            )
            known = self._known(key, items)
            for sent in _one_call(items) if whole else _calls(items):
                self._send(sent, results, whole=whole)
        # What an earlier sending created is told as it was then.
        results |= {place: {**results[place], "status": "created"} for place in known}
        if items and len(known) == len(items):
            resp.set_header(REPLAYED, "true")
        note(req, queue=items[0].queue if items and whole else "")
        counted = [one["status"] for one in results.values()]
        words = {"created": "created", "duplicates": "duplicate", "refused": "refused"}
        counts = {name: counted.count(word) for name, word in words.items()}
        in_order = [results[place] for place in sorted(results)]
        send(resp, {**counts, "results": in_order}, HTTPStatus.ACCEPTED if whole else HTTPStatus.OK)

    def _read(
        self,
        written: Sequence[bytes],
        key: Key | None,
        carried: dict[str, object],
        refused: Results | None,
        redaction: Redaction,
    ) -> Iterator[_Item]:
        """Read each job; a bad one is noted as refused, or where none may be, raised."""
        # Most jobs of a batch have the options of the one before, and the clock is asked once.
        clock = cache(self.boltq.server.now_ms)
        commons: dict[tuple[object, ...], scripts.EnqueueOptions] = {}
        # So have they no headers of their own, and no ids.
        usual, fresh = newjob.as_json("headers", carried), ids.new_ids(len(written))
        for place, one in enumerate(written, 1):
            try:
                asked = requests.read_job(one)
                redaction.check(asked.payload)
                own, headers = asked.decoded_headers(), usual
                if key:
                    own = {**(own or {}), MEMBER: key.asked}
                if own:
                    headers = newjob.as_json("headers", with_carried(own, carried))
                id = fresh[place - 1]
                if asked.id or key:
                    id = ids.within(asked.queue, asked.id or key.id(asked.queue, place))  # type: ignore[union-attr]
                item = scripts.EnqueueItem(id, asked.type, bytes(asked.payload), headers)
                common = commons.get(asked.chosen)
                if common is None:
                    common = commons[asked.chosen] = newjob.common(asked.options(), clock)
                yield _Item(place, asked.queue, common, item)
            except errors.BoltQError as refusal:
                if refused is None or isinstance(refusal, errors.Unavailable):
                    raise _at(place, refusal) from refusal
                refused[place] = _refusal(refusal)

    def _known(self, key: Key | None, items: Sequence[_Item]) -> set[int]:
        """Return the places whose jobs came by this very request before.

        Raises KeyReused, before anything is written, if the key came with another one.
        """
        if key is None:
            return set()
        known: set[int] = set()
        made = [one for one in items if str(one.item.id).startswith("key-")]
        for queue in {one.queue for one in made}:
            rest = iter([one for one in made if one.queue == queue])
            while batch := list(islice(rest, INSPECTED)):
                found = [scripts.InspectItem(str(one.item.id)) for one in batch]
                reply = self.boltq.server.call(scripts.inspect(queue, found, with_payload=0))
                for one, answer in zip(batch, reply.answers, strict=True):
                    if isinstance(answer, scripts.InspectJob):
                        key.check(answer.headers)
                        known.add(one.place)
        return known

    def _send(self, sent: _Sent, results: Results, *, whole: bool) -> None:
        items = sent.items
        try:
            reply = self.boltq.server.call(sent.call)
        except errors.Unavailable as problem:
            unknown = tuple(ids.join(one.queue, str(one.item.id)) for one in items)
            raise errors.Unavailable(str(problem), unknown) from problem
        except (errors.BadArgument, errors.TooLarge, errors.ServerFull) as refusal:
            # A full server speaks of no job; while none is in, its refusal is that of all.
            if whole or (isinstance(refusal, errors.ServerFull) and not results):
                raise
            self._without(items, refusal, results)
            return
        self.boltq.server.note_queue(items[0].queue, reply.now_ms)
        for one, answer in zip(items, reply.answers, strict=True):
            created = isinstance(answer, scripts.EnqueueCreated)
            id = ids.join(one.queue, answer.id)
            results[one.place] = {"status": "created" if created else "duplicate", "id": id}

    def _without(
        self, items: Sequence[_Item], refusal: errors.BoltQError, results: Results
    ) -> None:
        """Send the jobs of a refused call one by one; a refusal of one job is its result."""
        if len(items) > 1 and not isinstance(refusal, errors.ServerFull):
            for one in items:
                self._send(_sent([one]), results, whole=False)
            return
        results |= {one.place: _refusal(refusal) for one in items}


def _split(req: falcon.Request, body: bytes) -> list[bytes]:
    if (req.content_type or "").partition(";")[0].strip().lower() in LINES:
        found = [line for line in body.split(b"\n") if line.strip()]
    else:
        try:
            found = list(map(bytes, msgspec.json.decode(body, type=list[msgspec.Raw])))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise BadField("body", f"the body must be an array of jobs in JSON: {error}") from None
    if not 1 <= len(found) <= MOST_JOBS:
        raise BadField("body", f"a batch must be of 1 to {MOST_JOBS} jobs, not {len(found)}")
    return found


def _calls(items: Sequence[_Item]) -> Iterator[_Sent]:
    """Put together what shares queue and options, in the order of the first of each."""
    groups: dict[tuple[str, int], list[_Item]] = {}
    for one in items:
        groups.setdefault((one.queue, id(one.common)), []).append(one)
    for group in groups.values():
        rest = iter(group)
        for batch in newjob.batches(one.item for one in group):
            yield _sent(list(islice(rest, len(batch))))


def _one_call(items: Sequence[_Item]) -> Iterator[_Sent]:
    if len(items) > newjob.MOST_ITEMS:
        most = newjob.MOST_ITEMS
        raise BadField("body", f"with mode=all a batch is of 1 to {most} jobs, not {len(items)}")
    first = items[0]
    for one in items:
        if (one.queue, one.common) != (first.queue, first.common):
            differ = [name for name, value in one.common.items() if value != first.common[name]]  # type: ignore[literal-required]
            field = "queue" if one.queue != first.queue else differ[0]
            message = f"{field} differs from that of item 1: with mode=all jobs share it"
            raise _at(one.place, BadField(field, message))
    yield _sent(items)


def _sent(items: Sequence[_Item]) -> _Sent:
    call = scripts.enqueue(items[0].queue, [one.item for one in items], **items[0].common)
    return _Sent(call, list(items))


def _refusal(refusal: errors.BoltQError) -> dict[str, object]:
    told: dict[str, object] = {"status": "refused", "word": refusal.word, "detail": str(refusal)}
    if field := getattr(refusal, "field", ""):
        told["field"] = field
    return told


def _at(place: int, refusal: errors.BoltQError) -> errors.BoltQError:
    """The same refusal with the place of the job in its sentence."""
    if isinstance(refusal, BadField):
        named = BadField(refusal.field, f"item {place}: {refusal}")
        named.word, named.status = refusal.word, refusal.status
        return named
    return refusal

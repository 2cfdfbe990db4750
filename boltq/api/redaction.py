"""What nobody is to see of payloads, results and headers: out of all answers."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import falcon
import msgspec

from boltq.api.answers import with_members
from boltq.api.idempotency import MEMBER
from boltq.api.problems import BadField
from boltq.api.redactor import Redactor
from boltq.job import Job, spliced

MARK = "[redacted]"
"""What stands where a value is hidden."""

_SHOWN = json.dumps(MARK)
_GAP = b"\0"
"""Where a value was, for a search: a text that is looked for cannot hold it, nor JSON."""

# A text, which is a member's name if a colon follows, or a bracket; what is between is passed over.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"(\s*+:\s*+)?|[{}\[\]]', re.DOTALL)
_PLAIN = re.compile(r"[^\s,}\]]++")


class Redaction:
    """Hides values in what is shown of jobs; all else stays as it was written, byte for byte.

    names: of members, at any depth, in any case of letters; `card.number` is a member `number` of a
    member `card`, with lists between or not. One with a colon is a function, which is asked about
    what the names have left: see Redactor. None hides nothing and costs nothing. What is no JSON
    is hidden whole, since no member of it can be told. Of headers what tells a request's body by
    its digest is hidden, too: values could be guessed by it.

    A look costs O(bytes) where a name is in them: some 0.1 s a megabyte.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        each = list(names)
        self._ends = tuple(f".{name.lower()}" for name in each if ":" not in name)
        self._redactor = next((Redactor(name) for name in each if ":" in name), None)
        self._is_on = bool(each)

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Let those who answer the request find this."""
        req.context.redaction = self

    def job(self, job: Job) -> bytes:
        """Write a job as JSON, without what is hidden; `redacted` names where something was."""
        if not self._is_on:
            return job.to_json()
        each = {"payload": job.payload, "result": job.result, "headers": job.headers}
        hidden = self._changed(job.type, each)
        if not hidden:
            return job.to_json()
        seen = each | hidden
        told = replace(job, payload=seen["payload"], result=seen["result"], headers=seen["headers"])
        return with_members(told.to_json(), redacted=list(hidden))

    def entered(self, job_type: str, written: bytes) -> bytes:
        """Return a new job, which is written as JSON already, without what is hidden."""
        if not self._is_on:
            return written
        members = msgspec.json.decode(written, type=dict[str, msgspec.Raw])
        each: dict[str, bytes] = {
            name: bytes(raw) for name, raw in members.items() if name in ("payload", "headers")
        }
        hidden = self._changed(job_type, each)
        if not hidden:
            return written
        members |= {name: msgspec.Raw(raw) for name, raw in hidden.items()}
        return with_members(msgspec.json.encode(members), redacted=list(hidden))

    def searched(self, job_type: str, payload: bytes) -> bytes:
        """Return what a search may look at: as long for each text, so that no clock tells more."""
        if not self._is_on:
            return payload
        return self._seen(job_type, "payload", payload).replace(_SHOWN.encode(), _GAP)

    def check(self, payload: msgspec.Raw) -> None:
        """Raise BadField for a new payload that has MARK as a value that is hidden.

        It was copied from what is shown, and what it stood for would be lost.
        """
        if not self._is_on or MARK.encode() not in (raw := bytes(payload)):
            return
        text = _text(raw) or ""
        spans = list(self._spans(text, self._ends))
        if text.strip() == _SHOWN or any(text[first:end] == _SHOWN for first, end in spans):
            raise BadField(
                "payload",
                f"payload has {_SHOWN} where a value is hidden: it was copied from what is shown, "
                "and the value itself would be lost",
            )

    def _changed(self, job_type: str, each: Mapping[str, bytes | None]) -> dict[str, bytes]:
        """Return those parts that are to be seen otherwise than they are, and how."""
        seen = {
            name: self._seen(job_type, name, raw) for name, raw in each.items() if raw is not None
        }
        return {name: raw for name, raw in seen.items() if raw != each[name]}

    def _seen(self, job_type: str, name: str, raw: bytes) -> bytes:
        seen = self._hidden(name, raw)
        if self._redactor is None or seen == _SHOWN.encode():
            return seen
        text = self._redactor.shown(job_type, name, seen.decode())
        return (_SHOWN if text is None else text).encode()

    def _hidden(self, name: str, raw: bytes) -> bytes:
        text = _text(raw)
        if text is None:
            return _SHOWN.encode()
        ends = (*self._ends, f".{MEMBER}") if name == "headers" else self._ends
        return self._without(text, ends).encode()

    def _without(self, text: str, ends: tuple[str, ...]) -> str:
        parts, last = [], 0
        for first, end in self._spans(text, ends):
            parts += [text[last:first], _SHOWN]
            last = end
        return "".join((*parts, text[last:])) if parts else text

    def _spans(self, text: str, ends: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Yield where the values of named members are, in JSON that is known to be right."""
        small = text.lower()
        if "\\" not in text and not any(end.rpartition(".")[2] in small for end in ends):
            return
        path, above, named = "", list[str](), ""
        token = _TOKEN.search(text)
        while token:
            end = token.end()
            if token[1]:
                named = f"{path}.{_name(token[0].removesuffix(token[1])).lower()}"
                if named.endswith(ends):
                    first, end = end, _end_of_value(text, end)
                    yield first, end
            elif token[0] in "{[":
                above.append(path)
                path, named = named or path, ""
            elif token[0] in "}]":
                path, named = above.pop(), ""
            token = _TOKEN.search(text, end)


def shown(req: falcon.Request, job: Job) -> bytes:
    """Write a job as JSON, as it may be shown in the answer of a request."""
    redaction: Redaction = req.context.redaction
    return redaction.job(job)


def _text(raw: bytes) -> str | None:
    """Return JSON as a text, or None for what is none."""
    return raw.decode() if "" in spliced("", raw) else None


def _name(quoted: str) -> str:
    return str(json.loads(quoted)) if "\\" in quoted else quoted[1:-1]


def _end_of_value(text: str, first: int) -> int:
    """Return where the value that begins at a place ends."""
    depth = 0
    if text[first] not in '{["':
        found = _PLAIN.match(text, first)
        return found.end() if found else first
    while token := _TOKEN.search(text, first):
        first = token.end()
        depth += (token[0] in "{[") - (token[0] in "}]")
        if not depth:
            break
    # A text that is a value has no colon behind it, and so no blanks either.
    return first

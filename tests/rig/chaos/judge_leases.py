"""Judges the leases of one job: who held it, until when, and who was heard without holding it.

Where two calls overlap in time, either may have come first, and nothing is said. The fence of a
claim gives the order of claims, and the server's time in the answers that of the ends of leases.
"""

from collections.abc import Collection, Iterator
from itertools import pairwise

from rig.chaos.history import NEVER
from rig.chaos.lives import Act, Claim, Finding, Life

Window = tuple[float, float]


def judge(life: Life, windows: list[Window], open_claims: Collection[str]) -> Iterator[Finding]:
    """windows: when faults were about. open_claims: the tokens of those never answered."""
    claims = life.in_order()
    for kind, sentence in (
        *_two_holders(life, claims),
        *_unexplained(life, claims, windows),
        *_stale(life, open_claims),
        *_ended_twice(life),
        *_refused(life),
        *_overlaps(life, claims),
    ):
        yield Finding(kind, life.queue, life.id, sentence)


def lapses(life: Life, claims: list[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """The claims that came though nobody had ended the lease before, each behind that lease."""
    for claim, following in pairwise(claims):
        if not any(act.began < following.ended for act in _ends(life, claim.token)):
            yield claim, following


def _ends(life: Life, token: str) -> list[Act]:
    return [act for act in life.acts if act.token == token and act.may_have_ended]


def _known_end_ms(life: Life, claim: Claim, before: float) -> int:
    """Until when the lease lasted at least, by the answers that were there before."""
    extended = [
        act.end_ms
        for act in life.acts
        if act.token == claim.token and act.word == "HELD" and act.ended < before
    ]
    return max(claim.end_ms, *extended, 0)


def _latest_end_ms(life: Life, claim: Claim, act: Act) -> float:
    """Until when it can have lasted when the call came, itself aside."""
    ends: list[float] = [claim.end_ms]
    for other in life.acts:
        if other is not act and other.token == claim.token and other.verb == "extend":
            if other.word == "HELD" and other.began < act.ended:
                ends.append(other.end_ms)
            elif other.ended == NEVER and other.began < act.ended:
                ends.append(NEVER)
    return max(ends)


Told = Iterator[tuple[str, str]]


def _two_holders(life: Life, claims: list[Claim]) -> Told:
    for claim, following in pairwise(claims):
        if claim.fence == following.fence:
            yield "fence", f"two claims have the fence {claim.fence}"
    for claim, following in lapses(life, claims):
        end_ms = _known_end_ms(life, claim, following.began)
        if end_ms > following.at_ms:
            told = f"{following.who} had it {end_ms - following.at_ms} ms before the lease of "
            told += f"{claim.who} ran out, under {following.token} and {claim.token}"
            yield "two_holders", told


def _unexplained(life: Life, claims: list[Claim], windows: list[Window]) -> Told:
    """Leases of workers that ran out though no fault was about."""
    for claim, following in lapses(life, claims):
        if claim.is_by_worker and not any(
            began < following.ended and claim.began < ended for began, ended in windows
        ):
            told = f"attempt {following.attempt} of {following.who} followed that of {claim.who}, "
            told += f"which nothing had ended, under {claim.token}, without a fault"
            yield "duplicated", told


def _stale(life: Life, open_claims: Collection[str]) -> Told:
    for act in life.acts:
        if not act.is_accepted:
            continue
        claim = life.claims.get(act.token)
        if claim:
            why = (*_after_another_claim(life, claim, act), *_after_its_end(life, claim, act))
        else:
            why = () if act.token in open_claims else ("which never held it",)
        for one in why:
            told = f"{act.verb} of {act.who} under {act.token} was answered {act.word}"
            yield "stale", f"{told} {one}"


def _after_another_claim(life: Life, claim: Claim, act: Act) -> Iterator[str]:
    for other in life.claims.values():
        if other.fence > claim.fence and other.ended < act.began:
            yield f"when {other.who} had it under {other.token}"
            return


def _after_its_end(life: Life, claim: Claim, act: Act) -> Iterator[str]:
    late_ms = act.now_ms - _latest_end_ms(life, claim, act)
    if late_ms >= 0:
        yield f"{late_ms} ms after its lease had run out"
    for other in life.acts:
        if other.token == act.token and other.has_ended and other.ended < act.began:
            yield f"after its {other.verb} was answered {other.word}"
            return


def _ended_twice(life: Life) -> Told:
    for token in {act.token for act in life.acts}:
        ends = [act for act in life.acts if act.token == token and act.has_ended]
        words = sorted(f"{act.verb} {act.word}" for act in ends)
        accepted = sum(act.is_accepted for act in ends)
        if accepted > 1 or len({act.verb for act in ends}) > 1:
            yield "stale", f"one lease was ended more than once: {', '.join(words)}"


def _refused(life: Life) -> Told:
    """A call under a lease that was held, refused."""
    for act in life.acts:
        claim = life.claims.get(act.token)
        if claim is None or act.tries > 1 or act.word not in ("LEASE_LOST", "UNKNOWN"):
            continue
        if claim.ended >= act.began or act.now_ms >= _known_end_ms(life, claim, act.began):
            continue
        ended = any(end.began < act.ended for end in _ends(life, act.token) if end is not act)
        followed = any(other.fence > claim.fence for other in life.claims.values())
        if not ended and not followed:
            yield "refused", f"{act.verb} of {act.who} under {act.token}, which held it"


def _overlaps(life: Life, claims: list[Claim]) -> Told:
    """Runs of one job at the same time, of which the first still had its lease."""
    runs = {run.token: run for run in life.runs}
    for claim, following in pairwise(claims):
        run, other = runs.get(claim.token), runs.get(following.token)
        if run is None or other is None or run.ended <= other.began or run.ended == NEVER:
            continue
        if _known_end_ms(life, claim, following.began) > following.at_ms:
            seconds = run.ended - other.began
            told = f"{other.who} ran it {seconds:.3f} s before {run.who} had ended, whose lease "
            yield "overlap", told + "had not run out"

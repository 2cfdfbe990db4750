"""Judges the life of one job: made once, handed out while it was due, ended once, and kept."""

from collections.abc import Collection, Iterator

from rig.chaos.lives import Act, Finding, Life

KNOWN = ("CREATED", "DUPLICATE")
Told = Iterator[tuple[str, str]]


def judge(life: Life, open_claims: Collection[str], unseen: int = 0) -> Iterator[Finding]:
    """open_claims: the tokens of those never answered. unseen: how many had no answer at first."""
    for kind, sentence in (
        *_made(life),
        *_found(life),
        *_ended(life),
        *_claimed_after_its_end(life),
        *_runs(life, open_claims),
        *_counts(life, unseen),
    ):
        yield Finding(kind, life.queue, life.id, sentence)


def is_reborn(life: Life) -> bool:
    """Whether it may have been made again after it was purged."""
    return bool(life.asked("purge")) and sum(one.word == "CREATED" for one in life.enqueues) > 1


def _made(life: Life) -> Told:
    if not life.enqueues:
        seen = life.claims or life.runs or life.kept
        if seen:
            yield "unexpected", "nobody enqueued it"
        return
    first = min(one.began for one in life.enqueues)
    if any(claim.ended < first for claim in life.claims.values()):
        yield "unexpected", "it was claimed before it was enqueued"
    created = sum(one.word == "CREATED" for one in life.enqueues)
    if created > 1 and not life.asked("purge"):
        yield "duplicated", f"it was created {created} times"
    if life.spoiled or not all(claim.whole for claim in life.claims.values()):
        yield "payload", "its payload was not what was sent"


def _found(life: Life) -> Told:
    certain = [one for one in life.enqueues if one.word in KNOWN]
    if certain and life.kept is None:
        yield "lost", f"{certain[0].who} was answered {certain[0].word}, and it is in no state"
    elif certain and life.kept and not life.kept.last and not life.asked("purge"):
        yield "lost", f"it was seen {life.kept.state} and is in no state any more"


def _ended(life: Life) -> Told:
    """Whether its state is what calls have made of it."""
    if life.kept is None or is_reborn(life):
        return
    state, acts = life.kept.state, life.acts
    certain = {_end_of(act) for act in (*acts, *life.wishes)} - {""}
    if "dead" in certain and life.asked("replay"):
        certain.remove("dead")
    for wanted in sorted(certain):
        if state != wanted:
            yield "undone", f"it was answered as {wanted}, and is {state}"
    perhaps = {act.verb for act in acts if act.may_have_ended}
    if state == "completed" and "ack" not in perhaps:
        yield "unexpected", "it is completed, and nobody acked it"
    if state == "cancelled" and not life.asked("cancel"):
        yield "unexpected", "it is cancelled, and nobody asked for it"
    if state == "dead" and "fail" not in perhaps and life.kept.lost <= life.max_lost:
        yield "unexpected", f"it is dead after {life.kept.lost} lost leases and no failure"


def _end_of(act: Act) -> str:
    if act.verb == "ack" and act.word in ("DONE", "ALREADY"):
        return "completed"
    if act.verb == "fail" and act.word == "DEAD":
        return "dead"
    if act.word == "CANCELLED" or (act.verb == "cancel" and act.word in ("GONE", "ALREADY")):
        return "cancelled"
    return ""


def _claimed_after_its_end(life: Life) -> Told:
    for act in (*life.acts, *life.wishes):
        state = "purged" if (act.verb, act.word) == ("purge", "GONE") else _end_of(act)
        if not state or is_reborn(life):
            continue
        for claim in life.claims.values():
            replayed = state == "dead" and any(
                one.began < claim.ended for one in life.asked("replay")
            )
            if claim.began > act.ended and not replayed:
                yield "unexpected", f"{claim.who} was given it after it was {state}"


def _runs(life: Life, open_claims: Collection[str]) -> Told:
    tokens = [run.token for run in life.runs]
    if len(tokens) > len(set(tokens)):
        yield "duplicated", "it was run twice under one lease"
    for run in life.runs:
        if run.token not in life.claims and run.token not in open_claims:
            yield "unexpected", f"{run.who} ran it under {run.token}, which never held it"
    done = {run.token for run in life.runs if run.how == "done"}
    for act in life.acts:
        by_worker = act.who.startswith("worker")
        if by_worker and act.verb == "ack" and act.is_accepted and act.token not in done:
            yield "unexpected", f"{act.who} acked it without having run it to its end"


def _counts(life: Life, unseen: int) -> Told:
    """Attempts within their bounds, and each failure and lost lease counted once."""
    for claim in life.claims.values():
        failures = claim.attempt - 1 - claim.lost
        if not 0 <= failures < life.max_attempts:
            yield "attempts", f"it was handed out after {failures} of {life.max_attempts} failures"
        if claim.lost > life.max_lost:
            yield "attempts", f"it was handed out after {claim.lost} lost leases"
    if life.kept is None or is_reborn(life):
        return
    failed = [act for act in life.acts if act.verb == "fail"]
    least = len({act.token for act in failed if act.has_ended})
    most = len({act.token for act in failed if act.may_have_ended})
    if not least <= life.kept.failures <= most:
        yield "attempts", f"it has {life.kept.failures} failures, and {least} to {most} were sent"
    ended = {act.token for act in life.acts if act.has_ended}
    perhaps = {act.token for act in life.acts if act.may_have_ended}
    if life.kept.lost < len(life.claims.keys() - perhaps):
        yield "attempts", f"it has {life.kept.lost} lost leases, fewer than ran out"
    if life.kept.lost > len(life.claims.keys() - ended) + unseen:
        yield "attempts", f"it has {life.kept.lost} lost leases, more than ran out"

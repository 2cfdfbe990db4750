"""What every key of a queue has to hold, by the model; read as QueueKeys.dump reads it."""

from typing import Any

from job_model import STAMPS, STATES, Job, Lease, Tries
from queue_model import QueueModel


def expected_keys(model: QueueModel) -> dict[str, Any]:
    jobs = model.jobs.values()
    keys: dict[str, Any] = {
        "jobs": {job.id: model.record(job).encode("latin-1") for job in jobs},
        "payloads": {job.id: job.payload.encode("latin-1") for job in jobs if _is_apart(job)},
        "leases": {job.id: _lease(job.lease).encode() for job in jobs if job.lease},
        "outcomes": {job.id: _outcome(job) for job in jobs if job.outcome},
        "tries": {
            job.id: (_tries(job.tries) + "".join(model.errors(job))).encode()
            for job in jobs
            if job.tries
        },
        "notes": {job.id: job.notes.entry().encode("latin-1") for job in jobs if job.notes},
        "claims": {token: " ".join(ids).encode() for token, ids in model.claims.items()},
        "claim_ends": model.claim_ends,
        "stats": {name: b"%d" % count for name, count in model.total.items() if count},
        "settings": {name: text.encode() for name, text in model.settings.stored.items()},
        "bell": [b"1"] if model.bell else [],
        **{state: {job.id: job.score for job in model.members(state)} for state in STATES},
    }
    if model.stamp:
        keys["stats"]["stamp"] = b"%d" % model.stamp
    return {part: content for part, content in keys.items() if content}


def _is_apart(job: Job) -> bool:
    return job.apart and bool(job.payload)


def _lease(lease: Lease | None) -> str:
    if lease is None:
        return "- - 0 0 0 0 0 0 "
    kept_ms = "-" if lease.retention_ms is None else lease.retention_ms
    first_end = lease.fence + lease.lease_ms * STAMPS
    counts = f"{lease.lease_ms} {first_end} {lease.attempt} {lease.claimed_ms} {lease.place}"
    return f"{lease.token} {kept_ms} {counts} {lease.cancel} {lease.worker}"


def _outcome(job: Job) -> bytes:
    outcome = job.outcome
    assert outcome
    text = f"{outcome.how} {outcome.at_ms} {_lease(outcome.lease)}\n{outcome.result}"
    return text.encode("latin-1")


def _tries(tries: Tries) -> str:
    counts = f"{tries.failures} {tries.lost} {tries.failures_ever} {tries.lost_ever}"
    return f"{counts} {tries.token} {tries.how}\n"

"""The words of `audit`, and what each means to whoever owns the queue."""

from typing import NamedTuple


class Fault(NamedTuple):
    """What a word means; `repair` is what mending does about it, empty where only a guess could.

    `{detail}` stands for what the word speaks of.
    """

    means: str
    repair: str = ""


OF_QUEUES = {
    "BLOCKED": Fault(
        "no script can run on it, so that nothing more can be looked at: {detail}; mend the "
        "setting `needs`, or delete the key `settings`, by hand"
    ),
    "TYPE": Fault(
        "one of its keys is of the wrong type ({detail}), so that verbs fail, and what was kept "
        "there is gone: bring it back, or delete the key, and look again"
    ),
    "SETTING_UNKNOWN": Fault(
        "it has a setting {detail}, which this version does not know: a newer one may have set it"
    ),
    "SETTING_BROKEN": Fault("its setting {detail} breaks its rule: set it again"),
    "STAT_UNKNOWN": Fault(
        "it has a total {detail}, which this version does not know: a newer one may count it"
    ),
    "STAT_BROKEN": Fault(
        "its total {detail} is no number, so that verbs fail which count there",
        "counts on from the least that it can be",
    ),
    "STAMP_BROKEN": Fault(
        "its stamp is missing or no number: new jobs may come before older ones, or verbs fail",
        "takes the server's clock",
    ),
    "TOTAL_LOW": Fault(
        "its total {detail} is below what the queue holds", "raises it to what the queue holds"
    ),
    "UNACCOUNTED": Fault(
        "{detail} of its jobs have vanished without a trace", "counts them as missing"
    ),
    "OPERATION_BROKEN": Fault(
        "it has an operation {detail} that cannot be read, so that nobody can go on with it or "
        "stop it",
        "drops it: what it has done stays",
    ),
    "SERIES_BROKEN": Fault(
        "a line of its series, {detail}, cannot be read, so that its minute is not told", "drops it"
    ),
    "EVENT_BROKEN": Fault("has an event {detail} in a form that is not known", "drops it"),
    "EVENTS_EXTRA": Fault("has events, and keeps none", "drops them"),
    "BELL_LONG": Fault("its bell rings for more workers than one", "leaves one ring"),
}
OF_JOBS = {
    "BAD_ID": Fault(
        "has an id that no verb takes, so that it can be neither acked nor purged: delete it by "
        "hand"
    ),
    "NO_RECORD": Fault(
        "has no record any more, only what is left in {detail}: its work is lost",
        "deletes the rest, and counts the job as missing",
    ),
    "RECORD_BROKEN": Fault(
        "has a record that cannot be read: purge it, and enqueue it again; while it is queued or "
        "its lease has run out, claims of the whole queue may fail"
    ),
    "NO_SET": Fault(
        "is in no state, so that nobody will ever run it",
        "queues it again, unless its outcome or its lease tells its state",
    ),
    "TWO_SETS": Fault(
        "is in several states at once, {detail}, and may run twice",
        "leaves one: of a lease that is held, else of an end that its outcome confirms, else "
        "what leads to its being run",
    ),
    "SCORE_BROKEN": Fault(
        "has a place in {detail} that no time or turn can have",
        "makes the place anew from what else is known, but for a delay",
    ),
    "PRIORITY": Fault(
        "is queued under another priority than its own", "moves it to its own priority"
    ),
    "PAYLOAD_MISSING": Fault(
        "has lost its payload: its handler would be given none; purge it, or enqueue it anew"
    ),
    "PAYLOAD_SIZE": Fault("has a payload of another length than was enqueued: purge it"),
    "PAYLOAD_EXTRA": Fault(
        "has a second payload, which nobody reads", "deletes it: the one in the record counts"
    ),
    "LEASE_MISSING": Fault(
        "runs under no lease, so that its worker cannot ack it",
        "queues it again, or leaves it in the other state that it has",
    ),
    "LEASE_EXTRA": Fault(
        "has a lease, and does not run", "deletes the lease, or lets the job run on if it is lost"
    ),
    "LEASE_BROKEN": Fault(
        "has a lease that cannot be read, so that claims of the whole queue fail once it runs out",
        "deletes the lease and queues the job again",
    ),
    "LEASE_OTHER": Fault(
        "has a lease that tells another priority or retention than its record",
        "takes the record's",
    ),
    "FENCE_AHEAD": Fault(
        "has a fence that is ahead of the queue's stamp: a later one may be lower",
        "raises the stamp",
    ),
    "CLAIM_MISSING": Fault(
        "is held under a claim that is not remembered: a repeat of that claim would take more jobs",
        "remembers it from the lease",
    ),
    "OUTCOME_MISSING": Fault(
        "has ended, and nothing tells how; its result is lost", "notes what its state tells"
    ),
    "OUTCOME_EXTRA": Fault("has an outcome, and has not ended", "deletes the outcome"),
    "OUTCOME_BROKEN": Fault(
        "has an outcome that cannot be read, so that lists which show it fail",
        "notes what its state tells; the result is lost",
    ),
    "OUTCOME_OTHER": Fault(
        "has an outcome that does not lead to its state: purge it, or replay it if it is dead"
    ),
    "TRIES_MISSING": Fault(
        "has been tried before, and its tries are lost: it may be tried more often than it should"
    ),
    "TRIES_BROKEN": Fault(
        "has tries that cannot be read, so that claims of the whole queue fail when its turn comes",
        "keeps what can be read of them",
    ),
    "TRIES_OTHER": Fault("has tries that do not fit the attempt in its lease or its outcome"),
    "TRIES_BOUND": Fault(
        "has used up its attempts or its lost leases, and is not dead: purge or cancel it, or let "
        "it run once more"
    ),
    "NOTES_BROKEN": Fault(
        "has told of its progress, or a log, in a form that is not known", "drops it"
    ),
    "TRIES_UNCOUNTED": Fault(
        "has more failures or lost leases than its queue ever counted", "raises the totals"
    ),
}
OF_CLAIMS = {
    word: Fault(means, "remembers what is still leased under it, or nothing")
    for word, means in {
        "CLAIM_NO_END": "is remembered for ever, since its end is lost",
        "CLAIM_NO_IDS": "is remembered without its jobs, so that a repeat of it takes new ones",
        "CLAIM_BROKEN": "is remembered in a form that cannot be read",
    }.items()
}
EVERY = OF_QUEUES | OF_JOBS | OF_CLAIMS

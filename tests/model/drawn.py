"""What the rules of the machine draw: few values of each kind, so that they meet often."""

from hypothesis import strategies as st
from queue_keys import HOUR_MS

ENDS = ("completed", "cancelled", "dead")

pick = st.integers(0, 9999)
ids = st.sampled_from([f"j{n}" for n in range(8)])
some_jobs = st.lists(pick, min_size=1, max_size=4)
delays = st.sampled_from([0, 0, 5_000, HOUR_MS])
pauses = st.sampled_from(["", "", 0, 5_000, HOUR_MS])
limits = st.integers(1, 4)
priorities = st.sampled_from(["", 0, 4, 5, 9])
places = st.lists(st.sampled_from([0, 0, 1, 2]), min_size=4, max_size=4)
SEARCHES = st.tuples(
    st.booleans(),
    st.sampled_from(["", "echo", "mail:send"]),
    st.sampled_from(["", "", "E", "LeaseLost"]),
    st.sampled_from(["", "", "w1"]),
    st.sampled_from(["", "", 0, 2**53 - 1]),
    st.sampled_from(["", "", 2**53 - 1]),
)
CHOSEN = {
    "priority": st.sampled_from(["", "", 0, 5, 9]),
    "delay_ms": delays,
    "max_attempts": st.sampled_from(["", 1, 2]),
    "max_lost": st.sampled_from(["", 0, 1]),
    "timeout_ms": st.sampled_from(["", 0, 60_000]),
    "retention_ms": st.sampled_from(["", "", 0, 2 * HOUR_MS]),
    "base_ms": st.sampled_from(["", 0, 2_000]),
    "factor": st.sampled_from(["", 1, 3]),
    "cap_ms": st.sampled_from(["", 0, 4_000]),
    "jitter": st.sampled_from(["", 0, 1]),
}
OPTIONS = st.fixed_dictionaries(CHOSEN).map(
    lambda chosen: " ".join(f"{name}={value}" for name, value in chosen.items() if value != "")
)
NEW_JOBS = st.lists(
    st.tuples(
        st.one_of(ids, st.just("")),
        st.sampled_from(["echo", "mail:send"]),
        st.sampled_from(["{}", "", "x\ny", "\x00\xff", "4096 bytes", "4097 bytes"]),
        st.sampled_from(["", "", "{}"]),
    ),
    min_size=1,
    max_size=4,
)
LARGE = {"4096 bytes": "x" * 4096, "4097 bytes": "y" * 4097}  # the first is kept with its record
# Who reports: a job that is leased, by its own token; or any job under any token.
HELD = st.lists(st.tuples(pick, st.integers(0, 4)), min_size=1, max_size=4)
# What the handler told: nothing as a rule; lines that were told before, and ones that are new.
TOLD = st.sampled_from(
    [
        *("", "", "", "1 0 - -", "1 0 0 0.5 half", "1 1 0 - \none", "1 2 0 0.25 \none\ntwo"),
        *("1 2 1 1 done\ntwo\nthree\n", '2 1 - 0 \nmore "of" it\n1 0 - 0.125 two words'),
        *("1 120 - - \n" + "x\n" * 120, "1 0 x 0 ", "1 0 0 2 ", "9 0 0 1 ", "1 2 - - \none", "\n"),
    ]
)
SETTINGS = st.sampled_from(
    [
        *(("paused", value) for value in ("0", "1", "", "", "")),
        *(("pause_reason", value) for value in ("tea", "")),
        *((f"keep_{end}", n) for end in ENDS for n in "0125"),
        *((f"keep_{end}_ms", "0") for end in ENDS),
        *((f"keep_{end}_ms", "") for end in ENDS),
        *(("payload_bytes", "4096"), ("payload_bytes", "")),
        *(("result_bytes", "5"), ("result_bytes", "")),
        *(("keep_payloads", "1"), ("keep_payloads", "00"), ("job_priority", "7")),
        *(("job_max_attempts", "2"), ("job_max_lost", "01"), ("job_backoff_factor", "1.5")),
    ]
)

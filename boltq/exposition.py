"""Metrics as Prometheus reads them: OpenMetrics 1.0, or the older text format.

Nothing here knows what is measured. Whoever measures bounds its labels: queues and types, never
ids, names of workers or texts of errors.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

OPEN_METRICS = "application/openmetrics-text"
TEXT = "text/plain"
MEDIA = (OPEN_METRICS, TEXT)
"""The two forms, as requests and answers name them."""

_CONTENT_TYPES = {
    OPEN_METRICS: f"{OPEN_METRICS}; version=1.0.0; charset=utf-8",
    TEXT: f"{TEXT}; version=0.0.4; charset=utf-8",
}
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})

Labels = Mapping[str, str]


class Sample(NamedTuple):
    """One value; `suffix` is what it has behind the name of its family, such as `_sum`."""

    value: float
    labels: Labels
    suffix: str = ""


class Family(NamedTuple):
    """A metric with all its labels. `name` is that of a counter without its `_total`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    samples: Sequence[Sample]


def gauge(name: str, about: str, values: Iterable[tuple[float, Labels]]) -> Family:
    """Make a metric of what goes up and down."""
    return Family(name, "gauge", about, [Sample(value, labels) for value, labels in values])


def counter(name: str, about: str, values: Iterable[tuple[float, Labels]]) -> Family:
    """Make a metric of what only grows; `name` is without the `_total` that its samples have."""
    samples = [Sample(value, labels, "_total") for value, labels in values]
    return Family(name, "counter", about, samples)


class Histogram:
    """How often something took how long, by labels; one thread adds, any may read.

    labels: the names of the labels. bounds: in seconds, growing; above the last one is one more
    bucket.
    """

    def __init__(
        self, name: str, about: str, labels: Sequence[str], bounds: Sequence[float]
    ) -> None:
        self._name = name
        self._about = about
        self._labels = labels
        self._bounds = bounds
        self._series: dict[tuple[str, ...], list[float]] = {}

    def add(self, values: tuple[str, ...], seconds: float) -> None:
        """Count one under the values of its labels; costs about 0.4 us."""
        series = self._series.get(values)
        if series is None:
            # A count for each bucket, the one without a bound too, and the sum.
            series = self._series[values] = [0.0] * (len(self._bounds) + 2)
        series[bisect_left(self._bounds, seconds)] += 1
        series[-1] += seconds

    def family(self) -> Family:
        """Return what was counted until now."""
        return Family(self._name, "histogram", self._about, list(self._samples()))

    def _samples(self) -> Iterator[Sample]:
        for values, counted in list(self._series.items()):
            *counts, total_seconds = counted
            labels = dict(zip(self._labels, values, strict=True))
            count = 0
            for bound, n in zip((*self._bounds, "+Inf"), counts, strict=True):
                count += int(n)
                yield Sample(count, {**labels, "le": str(bound)}, "_bucket")
            yield Sample(count, labels, "_count")
            yield Sample(total_seconds, labels, "_sum")


def chosen(accept: str) -> str:
    """Return the form to answer with: OpenMetrics to who names it, else text, as to a browser."""
    return OPEN_METRICS if OPEN_METRICS in accept else TEXT


def content_type(form: str) -> str:
    """Return the Content-Type of a form."""
    return _CONTENT_TYPES[form]


def written(families: Iterable[Family], form: str) -> bytes:
    """Write metrics in a form; costs about 1 us a sample."""
    lines: list[str] = []
    for family in families:
        # The older form calls a counter by the name that its samples have.
        is_total = family.kind == "counter" and form == TEXT
        name = f"{family.name}_total" if is_total else family.name
        lines += (f"# HELP {name} {family.about}", f"# TYPE {name} {family.kind}")
        lines += (
            f"{family.name}{sample.suffix}{_labelled(sample.labels)} {sample.value}"
            for sample in family.samples
        )
    lines += ["# EOF"] if form == OPEN_METRICS else []
    return "\n".join((*lines, "")).encode()


def _labelled(labels: Labels) -> str:
    if not labels:
        return ""
    inner = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items())
    return f"{{{inner}}}"

"""Metrics, read as Prometheus reads them.

read(text)                             sample's name -> its labels -> value
value(found, "boltq_queue_jobs", queue="mail", state="dead")
"""

import re
from collections.abc import Iterable
from typing import Any

from prometheus_client.openmetrics import parser

Metrics = dict[str, dict[frozenset[tuple[str, str]], float]]
OPEN = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
"""The header by which Prometheus asks."""


def read(text: str) -> Metrics:
    return sampled(parser.text_string_to_metric_families(text))


def sampled(families: Iterable[Any]) -> Metrics:
    found: Metrics = {}
    for family in families:
        for one in family.samples:
            found.setdefault(one.name, {})[frozenset(one.labels.items())] = one.value
    return found


def value(found: Metrics, name: str, /, **labels: str) -> float:
    return found[name][frozenset(labels.items())]


def labels_by_metric(found: Metrics) -> dict[str, set[str]]:
    """Each metric, a histogram by its own name, with the names of its labels."""
    named: dict[str, set[str]] = {}
    for name, samples in found.items():
        own = re.sub("_(bucket|count|sum)$", "", name)
        labels = {label for each in samples for label, _ in each} - {"le"}
        named.setdefault(own, set()).update(labels)
    return named

"""All parts of the benchmark, each round after round."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from boltq.bench import backlog, drain, enqueue, fair, http, idle, life, memory, pickup, verbs
from boltq.bench.bars import with_bar
from boltq.bench.figure import Figure, Taken, Trial, figures_of
from boltq.bench.plan import Plan
from boltq.bench.site import Site

Part = Callable[[Site, Plan], AbstractContextManager[list[Trial]]]

PARTS: dict[str, Part] = {
    "enqueue": enqueue.enqueueing,
    "drain": drain.draining,
    "processes": drain.processing,
    "pickup": pickup.picking_up,
    "fair": fair.mixing,
    "life": life.living,
    "verbs": verbs.calling,
    "memory": memory.weighing,
    "backlog": backlog.waiting,
    "scheduled": backlog.delayed,
    "http": http.posting,
    "idle": idle.idling,
}

Show = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


def measure(site: Site, plan: Plan, parts: Sequence[str], show: Show) -> Iterator[Figure]:
    """Measure some parts, and yield the figures of each as they are known.

    show: is told what is measured and in how many steps, and yields what is told of each.
    In each round all of a part is measured once, every other time in the reverse order: what else
    goes on in the machine meets all alike. Raises what calls raise, and WrongState for a queue that
    exists.
    """
    kind, _ = site.server.version(site.stem)
    for n, name in enumerate(parts, 1):
        with PARTS[name](site, plan) as trials:
            taken: list[list[Taken]] = []
            with show(f"{name}, {n} of {len(parts)}", len(trials) * plan.rounds) as advance:
                for number in range(plan.rounds):
                    taken += [_round(trials, advance, backwards=number % 2 == 1)]
            for figure in figures_of(name, taken):
                yield with_bar(figure, kind)


def _round(trials: list[Trial], advance: Callable[[int], None], *, backwards: bool) -> list[Taken]:
    taken: dict[int, list[Taken]] = {}
    numbers = range(len(trials))
    for n in reversed(numbers) if backwards else numbers:
        taken[n] = list(trials[n].run())
        advance(1)
    return [one for n in numbers for one in taken[n]]

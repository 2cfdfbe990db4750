"""What jobs cost, measured on any server: `boltq bench`."""

from boltq.bench.about import about
from boltq.bench.figure import Figure
from boltq.bench.measure import PARTS, measure
from boltq.bench.plan import Plan
from boltq.bench.site import site_on

__all__ = ["PARTS", "Figure", "Plan", "about", "measure", "site_on"]

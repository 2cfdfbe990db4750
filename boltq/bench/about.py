"""Where figures come from: without it they say nothing."""

import os
import platform
from dataclasses import asdict
from pathlib import Path

from boltq import __version__
from boltq.bench.plan import Plan
from boltq.bench.site import Site


def about(site: Site, plan: Plan) -> dict[str, object]:
    """Tell the versions, the machine, how busy it is just now, and the sizes of the run."""
    kind, version = site.server.version(site.stem)
    return {
        "boltq": __version__,
        "server": f"{kind.capitalize()} {version}",
        "machine": f"{os.cpu_count()} x {_processor()}, {platform.system()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "plan": asdict(plan),
    }


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text("utf-8").splitlines():
            name, _, told = line.partition(":")
            if name.strip() == "model name":
                return told.strip()
    return platform.machine()

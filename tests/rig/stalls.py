"""Any command on a machine that seems busy elsewhere: threads are away for a moment now and then.

python -m rig.stalls --every 500 --most-ms 300 -- pytest -n 4 tests

Of 500 waits of a Python process for a socket, a lock or another thread, one lasts up to 300 ms
longer. What is right only because something is fast fails sooner or later: a test that asks too
early, a lease that is too short for what is to be done in it, a stop that comes between two lines.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).parent / "stalls.c"


def main() -> int:
    """Run the command so; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=int, default=500, help="one of so many waits")
    parser.add_argument("--most-ms", type=int, default=300, help="and how much longer it lasts")
    parser.add_argument("command", nargs="+")
    told = parser.parse_args()
    compiler = shutil.which("cc")
    if compiler is None:
        print("there is no C compiler (Debian: apt install gcc libc6-dev)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="boltq-stalls-") as folder:
        made = Path(folder) / "stalls.so"
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", made, SOURCE], check=True)
        environ = {
            "LD_PRELOAD": str(made),
            "STALL_EVERY": str(told.every),
            "STALL_MOST_MS": str(told.most_ms),
        }
        return subprocess.run(told.command, env=os.environ | environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

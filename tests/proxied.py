"""nginx with the file of the guide before two processes of the API, in a folder of its own.

Of the file only places are changed: ports, the folder, and times that a test would have to wait.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from programs import Program, started_in
from servers import TestServer, _free_ports, missing, until

CONFIG = Path(__file__).parents[1] / "boltq" / "ops" / "nginx.conf"


@dataclass
class Proxied:
    """The port of the proxy, and the programs behind it."""

    port: int
    apis: list[Program]
    log: Path


def config(folder: Path, port: int, behind: list[int], **times: str) -> str:
    """Return the file with its places changed; `client_header_timeout="1s"` is another time."""
    text = CONFIG.read_text()
    changes = {
        r"listen 80;": f"listen 127.0.0.1:{port};",
        r"127\.0\.0\.1:8080": f"127.0.0.1:{behind[0]}",
        r"127\.0\.0\.1:8081": f"127.0.0.1:{behind[1]}",
        r"/run/nginx\.pid": f"{folder}/nginx.pid",
        r"/var/log/nginx/": f"{folder}/",
        r"worker_processes auto": "worker_processes 1",
    }
    changes |= {rf"\b{name} [^;]+;": f"{name} {value};" for name, value in times.items()}
    for old, new in changes.items():
        text, count = re.subn(old, new, text)
        assert count, old
    folders = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"  {name}_temp_path {folder}/{name};\n" for name in folders)
    # Its workers would be nobody else, who may not look into the folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    return user + text.replace("http {\n", f"http {{\n{own}", 1)


@contextmanager
def proxied(folder: Path, server: TestServer, **times: str) -> Iterator[Proxied]:
    """Start all of it, with settings of the API as its users are told, and end it."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        missing("nginx (Debian: apt install nginx-light)")
    places = [folder / name for name in ("one", "two")]
    with started_in(places[0]) as first, started_in(places[1]) as second:
        apis = []
        for place, start in zip(places, (first, second), strict=True):
            place.mkdir()
            told = {"REDIS_ADDR": server.address, "BOLTQ_API_PROXY": "127.0.0.1"}
            told |= {"BOLTQ_API_RATE": "0.001", "BOLTQ_API_BURST": "1000"}
            apis.append(start("boltq", "api", "--port", "0", **told))
        ports = [api.find_api().port for api in apis]
        (port,) = _free_ports(1)
        written = folder / "nginx.conf"
        written.write_text(config(folder, port, ports, **times))
        command = [str(nginx), "-e", str(folder / "error.log"), "-c", str(written)]
        process = subprocess.Popen([*command, "-g", "daemon off;"])
        try:
            until(lambda: answers(port))
            yield Proxied(port, apis, folder / "access.log")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/api/stats")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()

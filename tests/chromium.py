"""A headless Chromium, spoken to over a pipe: open a page, run script in it, look at it.

with opened(folder) as page:
    page.goes_to("http://...", 1440, 1000)
    page.until("document.title === 'x'")
    page.run("...")             the value of an expression, which may be a promise
    page.shot(path)
"""

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from servers import until

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    *("--disable-dev-shm-usage", "--remote-debugging-pipe"),
    "--host-resolver-rules=MAP boltq.test 127.0.0.1",
    "about:blank",  # else it draws the page of a new tab, which nobody sees
)

BROKEN_OFF = "ERR_NETWORK_CHANGED"
"""What becomes of all that loads while a container starts or ends, and the machine's addresses with
it: nothing that a page could do about, but to load anew."""


class Navigated(AssertionError):
    """What was asked of a page came to nothing, for another came in its place."""


class Page:
    def __init__(self, to: int, back: int) -> None:
        self._to, self._back = to, os.fdopen(back, "rb")
        self._rest = b""
        self._count = 0
        self._session: str | None = None
        self.complaints: list[str] = []

    def attach(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        told = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = told["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def goes_to(self, url: str, width: int = 1440, height: int = 1000) -> None:
        self.sized(width, height)
        self.call("Page.navigate", url="about:blank")
        self.complaints.clear()
        until(lambda: BROKEN_OFF not in self.call("Page.navigate", url=url).get("errorText", ""))

    def sized(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def call(self, method: str, **told: object) -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": told}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            came = self._read()
            if came.get("id") == self._count:
                if "navigated" in str(came.get("error", "")):
                    raise Navigated(came)
                assert "error" not in came, came
                return dict(came["result"])
            self._note(came)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._back.fileno(), 1 << 16)
            assert more, "Chromium has gone"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(line))

    def _note(self, came: dict[str, Any]) -> None:
        entry = came.get("params", {}).get("entry", {})
        if came.get("method") == "Runtime.exceptionThrown":
            told = came["params"]["exceptionDetails"]
            self.complaints.append(f"{told.get('exception', {}).get('description')} {told['url']}")
        if entry.get("level") == "error" and BROKEN_OFF not in entry["text"]:
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}")

    def run(self, script: str) -> Any:
        told = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true, on whatever page there is by then."""
        until(lambda: self.holds(script))

    def holds(self, script: str) -> bool:
        """Whether an expression is true; it is not while one page comes after another."""
        with suppress(Navigated):
            return bool(self.run(script))
        return False

    def key(self, name: str) -> None:
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "Space": 32, ".": 190, "/": 191, "?": 191}
        text = {"Enter": "\r", "Space": " "}.get(name, name if len(name) == 1 else "")
        told = {
            "key": name,
            "code": name,
            "windowsVirtualKeyCode": codes.get(name, ord(name[0].upper())),
        }
        self.call("Input.dispatchKeyEvent", type="keyDown", **told, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def prefers(self, **features: str) -> None:
        """Tell it what its person likes, as in `color_scheme="dark"`."""
        told = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()
        ]
        self.call("Emulation.setEmulatedMedia", features=told)

    def heap_bytes(self) -> int:
        """What its scripts hold, once all garbage is gone."""
        for _ in range(3):
            self.call("HeapProfiler.collectGarbage")
        return int(self.call("Runtime.getHeapUsage")["usedSize"])

    def shot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def opened(folder: Path) -> Iterator[Page]:
    """A page of a browser with a folder of its own, ended with the block."""
    assert PROGRAM
    its_in, to = os.pipe()
    back, its_out = os.pipe()

    def as_it_expects() -> None:
        # By way of numbers that nothing has, since either may be 3 or 4 already.
        free_in, free_out = (fcntl.fcntl(end, fcntl.F_DUPFD, 5) for end in (its_in, its_out))
        os.dup2(free_in, 3)
        os.dup2(free_out, 4)

    browser = subprocess.Popen(
        [PROGRAM, *FLAGS, f"--user-data-dir={folder}/profile"],
        pass_fds=(3, 4, its_in, its_out),
        preexec_fn=as_it_expects,  # noqa: PLW1509 - four system calls, no Python lock
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(its_in)
    os.close(its_out)
    page = Page(to, back)
    try:
        page.attach()
        yield page
    finally:
        browser.kill()
        browser.wait(10)
        os.close(to)
        page._back.close()

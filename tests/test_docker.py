"""The image, and docker-compose up: what the README promises of them, on a real engine."""

import json
import re
import secrets
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from programs import environment
from servers import _free_ports, engine_answers, missing, until

pytestmark = [pytest.mark.container, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[1]
# What pip, apt or the engine say of a registry that they cannot reach.
UNREACHABLE = re.compile(
    "name resolution|Could not fetch|No matching distribution|Network is unreachable|"
    "pull access denied|manifest unknown|i/o timeout|Failed to establish a new connection",
    re.IGNORECASE,
)
EMAIL = {
    "type": "email",
    "payload": {
        "recipient": "user@example.com",
        "subject": "Hello from BoltQ",
        "body": "This is a test email from BoltQ",
    },
    "max_attempts": 3,
}
APP = """
from boltq import BoltQ

app = BoltQ()


@app.job("greet")
def greet(name):
    return f"Hello {name}"
"""


def docker(*arguments: str, **told: str) -> str:
    """Run `docker` or `docker-compose` and return what it says; it has to succeed."""
    done = subprocess.run(
        arguments,
        cwd=ROOT,
        env=environment(**told),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    said = done.stdout + done.stderr
    if done.returncode and UNREACHABLE.search(said):
        missing(f"a registry that the engine reaches: {said.strip().splitlines()[-1]}")
    assert done.returncode == 0, said
    return done.stdout.strip()


@dataclass
class Api:
    """The API at a port of this machine."""

    port: int

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send a request and return the JSON of the answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.loads(response.read())

    def answers(self) -> bool:
        try:
            return bool(self.ask("GET", "/readyz"))
        except OSError:
            return False

    def enqueue(self, body: object) -> str:
        return str(self.ask("POST", "/api/jobs", body)["id"])

    def state(self, id: str) -> str:
        return str(self.ask("GET", f"/api/jobs/status?id={id}")["state"])


@dataclass
class Stack(Api):
    """`docker-compose up -d` under a project of its own."""

    project: str
    image: str
    own: Path

    def compose(self, *arguments: str) -> str:
        return docker(
            *("docker-compose", "-p", self.project),
            *("-f", str(ROOT / "docker-compose.yml"), "-f", str(self.own)),
            *arguments,
            API_PORT=str(self.port),
            SMTP_HOST="",
        )

    def containers(self, service: str) -> list[str]:
        mark = "label=com.docker.compose"
        filters = (f"{mark}.project={self.project}", f"{mark}.service={service}")
        told = ("docker", "ps", "-q", "--filter", filters[0], "--filter", filters[1])
        return docker(*told).split()


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """The image, built under a name of its own."""
    if not engine_answers():
        missing("a container engine")
    name = f"boltq-test-{secrets.token_hex(4)}"
    docker("docker", "build", "--quiet", "--tag", name, ".")
    try:
        yield name
    finally:
        subprocess.run(["docker", "rmi", "--force", name], capture_output=True, check=False)


@pytest.fixture(scope="module")
def stack(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if shutil.which("docker-compose") is None:
        missing("docker-compose")
    own = tmp_path_factory.mktemp("compose") / "own.yml"
    own.write_text(f"services: {{api: {{image: {image}}}, worker: {{image: {image}}}}}\n")
    stack = Stack(_free_ports(1)[0], image, image, own)
    try:
        stack.compose("up", "-d")
        until(stack.answers, 20)
        yield stack
    finally:
        stack.compose("down", "--volumes", "--timeout", "5")


def test_the_three_requests_of_the_readme_work(stack: Stack) -> None:
    id = stack.enqueue(EMAIL)
    until(lambda: stack.state(id) == "completed", 20)
    assert stack.ask("GET", "/api/stats")["completed_total"] >= 1
    written = stack.compose("exec", "-T", "worker", "cat", f"/data/outbox/{id}.eml")
    assert "Subject: Hello from BoltQ" in written


def test_only_the_api_is_published_and_on_this_machine_alone(stack: Stack) -> None:
    published = {
        service: docker("docker", "port", *stack.containers(service)[:1])
        for service in ("redis", "api", "worker")
    }
    assert published == {"redis": "", "api": f"8080/tcp -> 127.0.0.1:{stack.port}", "worker": ""}


def test_nobody_in_the_image_is_root_or_can_change_it(stack: Stack) -> None:
    looks = "grep ^Uid /proc/1/status; id -u; touch /usr/local/lib/x 2>/dev/null && echo changed"
    for service in ("api", "worker"):
        container = stack.containers(service)[0]
        said = docker("docker", "exec", container, "sh", "-c", f"{looks}; true")
        assert said.split() == ["Uid:", *["10001"] * 5]


def test_workers_can_be_more_and_each_has_jobs(stack: Stack) -> None:
    stack.compose("up", "-d", "--no-recreate", "--scale", "worker=2")
    until(lambda: len(stack.ask("GET", "/api/workers")["workers"]) == 2, 20)
    workers: set[str] = set()

    def both_had_some() -> bool:
        # One that is away for a while leaves all to the other.
        ids = [stack.enqueue({"type": "sleep", "payload": {"seconds": 0.5}}) for _ in range(16)]
        until(lambda: all(stack.state(id) == "completed" for id in ids), 20)
        workers.update(stack.ask("GET", f"/api/jobs/{id}")["worker"] for id in ids)
        return len(workers) == 2

    until(both_had_some)


def test_the_api_is_healthy_while_it_answers(stack: Stack) -> None:
    (api,) = stack.containers("api")
    asked = ("docker", "inspect", "--format", "{{.State.Health.Status}}", api)
    until(lambda: docker(*asked) == "healthy", 30)
    (_, *check) = healthcheck(api)
    docker("docker", "exec", api, *check)
    docker("docker", "exec", "-e", "API_PORT=1", api, "sh", "-c", '! "$@" 2>/dev/null', "", *check)


def test_a_worker_is_healthy_while_redis_hears_of_it(stack: Stack) -> None:
    worker = stack.containers("worker")[0]
    (_, *check) = healthcheck(worker)
    until(lambda: succeeds("docker", "exec", worker, *check), 20)
    assert not succeeds("docker", "exec", "-e", "BOLTQ_PREFIX=other", worker, *check)


def healthcheck(container: str) -> list[str]:
    shown = docker("docker", "inspect", "--format", "{{json .Config.Healthcheck.Test}}", container)
    test = json.loads(shown)
    assert test[0] == "CMD"
    return list(test)


def succeeds(*arguments: str) -> bool:
    return subprocess.run(arguments, capture_output=True, timeout=60, check=False).returncode == 0


def test_a_redis_that_is_killed_has_lost_nothing_and_evicts_nothing(stack: Stack) -> None:
    id = stack.enqueue({"type": "echo", "delay_seconds": 1000})
    (redis,) = stack.containers("redis")
    docker("docker", "kill", redis)
    docker("docker", "start", redis)
    until(stack.answers, 20)
    assert stack.state(id) == "scheduled"
    told = docker("docker", "exec", redis, "redis-cli", "config", "get", "maxmemory-policy")
    assert told.split() == ["maxmemory-policy", "noeviction"]


def test_every_line_that_a_container_logs_is_json(stack: Stack) -> None:
    id = stack.enqueue({"type": "fail", "payload": {"times": 1}, "max_attempts": 1})
    until(lambda: stack.state(id) == "dead", 20)
    lines = [
        json.loads(line)
        for service in ("api", "worker")
        for container in stack.containers(service)
        for line in logged(container)
    ]
    about = {(line["logger"], line["event"]) for line in lines if line.get("job") == id}
    assert {("boltq.api.middleware", "request"), ("boltq.worker", "job dead")} <= about


def logged(container: str) -> list[str]:
    done = subprocess.run(
        ["docker", "logs", container], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_one_container_is_enough_and_takes_an_app_on_top(image: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "Dockerfile").write_text(f'FROM {image}\nCOPY app.py .\nCMD ["up", "app:app"]\n')
    name = f"{image}-app"
    try:
        docker("docker", "build", "--quiet", "--tag", name, str(tmp_path))
        port = _free_ports(1)[0]
        with running(name, port) as container:
            api = Api(port)
            until(api.answers, 20)
            id = api.enqueue({"type": "greet", "payload": {"name": "Ada"}})
            until(lambda: api.state(id) == "completed", 20)
            docker("docker", "stop", "--time", "40", container)
            asked = ("docker", "inspect", "--format", "{{.State.ExitCode}}", container)
            assert docker(*asked) == "0"
    finally:
        subprocess.run(["docker", "rmi", "--force", name], capture_output=True, check=False)


def test_a_container_that_nobody_guards_does_not_start(image: str) -> None:
    told = ["docker", "run", "--rm", image, "api"]
    done = subprocess.run(told, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "BOLTQ_API_OPEN=yes" in done.stderr


@contextmanager
def running(image: str, port: int) -> Iterator[str]:
    told = ("-p", f"127.0.0.1:{port}:8080", "-e", "BOLTQ_API_OPEN=yes")
    container = docker("docker", "run", "--detach", *told, image)
    try:
        yield container
    finally:
        gone = ["docker", "rm", "--force", "--volumes", container]
        subprocess.run(gone, capture_output=True, check=False)


def test_no_tool_that_built_the_image_is_left_in_it(image: str) -> None:
    look = (
        "ls -A /app /data /tmp; ls -d /src /wheel /needs 2>/dev/null; "
        "pip list --disable-pip-version-check | grep -iE 'hatchling|wheel|pytest'"
    )
    said = docker("docker", "run", "--rm", "--entrypoint", "sh", image, "-c", f"{look}; true")
    assert said.split() == ["/app:", "/data:", "/tmp:"]

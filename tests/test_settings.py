"""Settings: where each comes from, each rule, contradictions, names that are none."""

import os
import re
from pathlib import Path

import pytest

from boltq.errors import BadSetting
from boltq.settings import Settings


def load(
    tmp_path: Path, file: str = "", environ: dict[str, str] | None = None, **flags: object
) -> Settings:
    env_file = tmp_path / ".env"
    env_file.write_text(file)
    return Settings.load(flags, environ or {}, env_file)


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    settings = Settings.load({}, {}, tmp_path / "absent")
    assert settings == Settings(worker_id=settings.worker_id)
    assert (settings.redis_addr, settings.api_host, settings.api_port) == (None, "127.0.0.1", 8080)
    assert (settings.data_dir, settings.prefix, settings.log) == (Path(".boltq"), "boltq", "text")
    assert (settings.lease_seconds, settings.threads, settings.queues) == (30, 8, {"default": 1})
    assert settings.sources == {}


def test_every_setting_is_read_from_the_environment(tmp_path: Path) -> None:
    environ = {
        "REDIS_ADDR": "redis://u:p@h:1/2",
        "API_HOST": "::1",
        "API_PORT": "0",
        "BOLTQ_API_KEYS": "web:enqueue:0123456789abcdef",
        "BOLTQ_API_KEYS_FILE": "/run/keys",
        "BOLTQ_API_OPEN": "yes",
        "BOLTQ_API_HOSTS": "Jobs.example.com, *",
        "BOLTQ_API_RATE": "0.5",
        "BOLTQ_API_BURST": "7",
        "BOLTQ_API_IF_MATCH": "yes",
        "BOLTQ_API_PAYLOAD_BYTES": "1000",
        "BOLTQ_API_HEADER_BYTES": "8192",
        "BOLTQ_API_THREADS": "9",
        "BOLTQ_API_CONNECTIONS": "64",
        "BOLTQ_API_IDLE_SECONDS": "5",
        "BOLTQ_API_LEAVE_SECONDS": "7.5",
        "BOLTQ_API_PROXY": "10.0.0.1",
        "BOLTQ_ENVIRONMENT": "Ünit test",
        "BOLTQ_REDACT": "password, card.number,mail.privacy:shown,",
        "WORKER_ID": "w1",
        "BOLTQ_DATA_DIR": "/srv/q",
        "BOLTQ_PREFIX": "mine:",
        "BOLTQ_LEASE_SECONDS": "1.5",
        "BOLTQ_THREADS": "3",
        "BOLTQ_QUEUES": "b:3, a,b:3,",
        "BOLTQ_QUEUE_ORDER": "weighted",
        "BOLTQ_PROCESSES": "4",
        "BOLTQ_RECYCLE_JOBS": "1000",
        "BOLTQ_RECYCLE_MB": "512",
        "BOLTQ_LOG": "json",
        "SMTP_HOST": "mail",
        "SMTP_PORT": "587",
        "SMTP_USER": "me",
        "SMTP_PASSWORD": "p$w",
        "SMTP_FROM": "Queue <q@example.com>",
        "UNRELATED": "x",
    }
    assert load(tmp_path, environ=environ) == Settings(
        redis_addr="redis://u:p@h:1/2",
        api_host="::1",
        api_port=0,
        api_keys="web:enqueue:0123456789abcdef",
        api_keys_file=Path("/run/keys"),
        api_open="yes",
        api_hosts=("jobs.example.com", "*"),
        api_rate=0.5,
        api_burst=7,
        api_if_match="yes",
        api_payload_bytes=1000,
        api_header_bytes=8192,
        api_threads=9,
        api_connections=64,
        api_idle_seconds=5.0,
        api_leave_seconds=7.5,
        api_proxy="10.0.0.1",
        environment="Ünit test",
        redact=("password", "card.number", "mail.privacy:shown"),
        worker_id="w1",
        data_dir=Path("/srv/q"),
        prefix="mine:",
        lease_seconds=1.5,
        threads=3,
        queues={"b": 3, "a": 1},
        processes=4,
        recycle_jobs=1000,
        recycle_mb=512,
        log="json",
        smtp_host="mail",
        smtp_port=587,
        smtp_user="me",
        smtp_password="p$w",
        smtp_from="Queue <q@example.com>",
    )


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = "API_PORT=1\nBOLTQ_THREADS=1\nBOLTQ_LOG=json\n"
    environ = {"API_PORT": "2", "BOLTQ_THREADS": "2"}
    settings = load(tmp_path, file, environ, api_port=3, threads=None, queues={"x": 1})
    assert (settings.api_port, settings.threads, settings.log) == (3, 2, "json")
    assert settings.sources == {
        "api_port": "a flag",
        "threads": "the environment",
        "queues": "a flag",
        "log": str(tmp_path / ".env"),
    }


def test_an_empty_value_sets_aside_what_a_lower_source_says(tmp_path: Path) -> None:
    settings = load(tmp_path, "REDIS_ADDR=h:1\n", {"REDIS_ADDR": ""})
    assert settings.redis_addr is None
    assert "redis_addr" not in settings.sources


def test_a_file_may_quote_comment_and_hold_what_looks_like_a_variable(tmp_path: Path) -> None:
    file = (
        "# a comment\nexport SMTP_HOST='mail' # it\nSMTP_USER=me\nSMTP_PASSWORD=\"a${HOME}$b#c\"\n"
    )
    settings = load(tmp_path, file)
    assert (settings.smtp_host, settings.smtp_password) == ("mail", "a${HOME}$b#c")


def test_a_folder_called_env_is_no_settings_file(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert Settings.load({}, {}, tmp_path / ".env").api_port == 8080


def test_the_environment_of_the_process_is_read_unless_another_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API_PORT", "1234")
    assert Settings.load().api_port == 1234


REFUSED = {
    "REDIS_ADDR": ["h:99999", "http://h"],
    "API_HOST": ["http://h", "a b"],
    "API_PORT": ["-1", "65536", "x", "8080.0", "\uff18\uff10"],
    "BOLTQ_API_OPEN": ["true", "YES"],
    "BOLTQ_API_HOSTS": [",", "a b", "http://h", "*.example.com"],
    "BOLTQ_API_RATE": ["-1", "nan", "inf", "x"],
    "BOLTQ_API_BURST": ["0", "1.5"],
    "BOLTQ_API_IF_MATCH": ["1", "Yes"],
    "BOLTQ_API_PAYLOAD_BYTES": ["0", "8000001", "1MB"],
    "BOLTQ_API_HEADER_BYTES": ["1023", "1048577"],
    "BOLTQ_API_THREADS": ["0", "501"],
    "BOLTQ_API_CONNECTIONS": ["9", "65536"],
    "BOLTQ_API_IDLE_SECONDS": ["0.9", "3601", "nan"],
    "BOLTQ_API_LEAVE_SECONDS": ["-1", "301", "x"],
    "BOLTQ_API_PROXY": ["nginx", "10.0.0.0/8", "10.0.0.1,10.0.0.2"],
    "BOLTQ_ENVIRONMENT": ["x" * 41, " a", "a\nb", "a\u202eb"],
    "BOLTQ_REDACT": [
        *(",", "a b", "a..b", ".a", "a.", "x" * 101, ",".join(["a"] * 101)),
        *("a:", ":b", "a:b:c", "a:b.c", "1a:b", "a:b,c:d"),
    ],
    "WORKER_ID": ["a b", "a{b}", "w" * 129],
    "BOLTQ_PREFIX": ["a{b", "a}b", "a b", "é", "p" * 65],
    "BOLTQ_LEASE_SECONDS": ["0", "0.9", "nan", "inf", "86401", "x"],
    "BOLTQ_THREADS": ["0", "501", "eight", "1e2"],
    "BOLTQ_QUEUES": ["a{b}", "a,../x", ",", "a:", "a:0", "a:101", "a:x", "a:1,a:2"],
    "BOLTQ_QUEUE_ORDER": ["strictly"],
    "BOLTQ_PROCESSES": ["0", "65"],
    "BOLTQ_RECYCLE_JOBS": ["-1", "1e3"],
    "BOLTQ_RECYCLE_MB": ["x"],
    "BOLTQ_LOG": ["xml", "JSON"],
    "SMTP_HOST": ["a/b"],
    "SMTP_PORT": ["0", "x"],
    "SMTP_FROM": ["nobody", "a@b\r\nBcc: c@d"],
}


@pytest.mark.parametrize(
    ("variable", "value"), [(name, value) for name, values in REFUSED.items() for value in values]
)
def test_a_value_that_breaks_its_rule_is_refused_by_name_value_and_source(
    tmp_path: Path, variable: str, value: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        load(tmp_path, environ={variable: value})
    sentence = str(refused.value)
    assert sentence.startswith(f"{variable} ")
    assert repr(value)[1:40] in sentence
    assert "the environment" in sentence


def test_a_refusal_names_the_file_or_the_flag_that_said_it(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=re.escape(f"{tmp_path / '.env'} says 'x'")):
        load(tmp_path, "API_PORT=x\n")
    with pytest.raises(BadSetting, match=r"API_PORT must be a port.*; a flag says 99999"):
        load(tmp_path, api_port=99999)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("BOLTQ_THREAD", "BOLTQ_THREADS"),
        ("BOLTQ_REDIS_ADDR", "REDIS_ADDR"),
        ("BOLTQ_QUEUE", "BOLTQ_QUEUES"),
    ],
)
def test_an_unknown_boltq_name_is_refused_with_the_nearest_known(
    tmp_path: Path, name: str, nearest: str
) -> None:
    with pytest.raises(BadSetting, match=f"the environment has {name},.*did you mean {nearest}"):
        load(tmp_path, environ={name: "1"})
    with pytest.raises(BadSetting, match=rf"\.env has {name}, which is no setting"):
        load(tmp_path, f"{name}=1\n")


def test_a_name_in_the_file_without_a_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="BOLTQ_LOG without a value"):
        load(tmp_path, "BOLTQ_LOG\n")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"API_HOST=\xff\xfe\n")
    with pytest.raises(BadSetting, match="cannot be read"):
        Settings.load({}, {}, tmp_path / ".env")


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"SMTP_HOST": "h", "SMTP_USER": "me"}, "go together"),
        ({"SMTP_HOST": "h", "SMTP_PASSWORD": "p"}, "go together"),
        ({"SMTP_USER": "me", "SMTP_PASSWORD": "p"}, "but SMTP_HOST"),
        ({"BOLTQ_QUEUES": "a:3,b", "BOLTQ_QUEUE_ORDER": "strict"}, "leave one of the two out"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    tmp_path: Path, environ: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BadSetting, match=sentence):
        load(tmp_path, environ=environ)


def test_no_secret_is_in_the_repr_or_in_a_refusal(tmp_path: Path) -> None:
    environ = {
        "REDIS_ADDR": "redis://u:s3cret@h:1",
        "SMTP_HOST": "h",
        "SMTP_USER": "u",
        "SMTP_PASSWORD": "s3cret",
        "BOLTQ_API_KEYS": "s3cret",
    }
    assert "s3cret" not in repr(load(tmp_path, environ=environ))
    with pytest.raises(BadSetting) as refused:
        load(tmp_path, environ=environ | {"REDIS_ADDR": "redis://u:s3cret@h:99999"})
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None
    with pytest.raises(BadSetting) as refused:
        load(tmp_path, environ={"SMTP_PASSWORD": "s3cret"})
    assert "s3cret" not in str(refused.value)


def test_a_made_worker_id_is_a_name_with_the_process_in_it_and_unlike_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "_my host.lan{}" + "x" * 200)
    one, other = load(tmp_path), load(tmp_path)
    assert re.fullmatch(rf"my-host\.lan--x+-{os.getpid()}-[a-z0-9]{{6}}", one.worker_id)
    assert len(one.worker_id) <= 128
    assert one.worker_id != other.worker_id
    assert load(tmp_path, environ={"WORKER_ID": one.worker_id}).worker_id == one.worker_id


def test_the_example_file_names_every_setting_and_shows_its_default(tmp_path: Path) -> None:
    example = (Path(__file__).parents[1] / ".env.example").read_text()
    assert load(tmp_path, example).sources == {}
    offered = re.sub(r"(?m)^#(?=[A-Z_]+=)", "", example)
    assert re.findall(r"(?m)^([A-Z_]+)=", offered) == [
        *("REDIS_ADDR", "API_HOST", "API_PORT", "BOLTQ_API_KEYS", "BOLTQ_API_KEYS_FILE"),
        *("BOLTQ_API_OPEN", "BOLTQ_API_HOSTS", "BOLTQ_API_RATE", "BOLTQ_API_BURST"),
        "BOLTQ_API_IF_MATCH",
        *("BOLTQ_API_PAYLOAD_BYTES", "BOLTQ_API_HEADER_BYTES", "BOLTQ_API_THREADS"),
        *("BOLTQ_API_CONNECTIONS", "BOLTQ_API_IDLE_SECONDS", "BOLTQ_API_LEAVE_SECONDS"),
        "BOLTQ_API_PROXY",
        *("BOLTQ_ENVIRONMENT", "BOLTQ_REDACT"),
        *("WORKER_ID", "BOLTQ_DATA_DIR", "BOLTQ_PREFIX"),
        *("BOLTQ_LEASE_SECONDS", "BOLTQ_THREADS", "BOLTQ_QUEUES", "BOLTQ_QUEUE_ORDER"),
        *("BOLTQ_PROCESSES", "BOLTQ_RECYCLE_JOBS", "BOLTQ_RECYCLE_MB", "BOLTQ_LOG"),
        *("BOLTQ_LOG_DONE", "BOLTQ_LOG_REQUESTS", "BOLTQ_METRICS_PORT", "BOLTQ_METRICS_HOST"),
        *("SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASSWORD", "SMTP_FROM"),
    ]
    shown, defaults = load(tmp_path, offered), Settings()
    for name in ("api_host", "api_port", "data_dir", "prefix", "lease_seconds", "threads"):
        assert getattr(shown, name) == getattr(defaults, name)
    for name in ("open", "rate", "burst", "if_match", "payload_bytes", "header_bytes", "threads"):
        assert getattr(shown, f"api_{name}") == getattr(defaults, f"api_{name}")
    for name in ("api_connections", "api_idle_seconds", "api_leave_seconds"):
        assert getattr(shown, name) == getattr(defaults, name)
    for name in ("queues", "queue_order", "processes", "recycle_jobs", "recycle_mb"):
        assert getattr(shown, name) == getattr(defaults, name)
    for name in ("log", "smtp_port", "smtp_from"):
        assert getattr(shown, name) == getattr(defaults, name)

"""The keys of the API: how they are written, compared, kept out of sight and replaced."""

import hmac
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from boltq.api import keys
from boltq.api.keys import GRANTS, Keys
from boltq.errors import BadSetting

SECRET = "0123456789abcdef"
OTHER = "fedcba9876543210"


def granted(found: keys.Key | None) -> tuple[str, set[str]] | None:
    return None if found is None else (found.name, set(found.grants))


def test_admin_is_all_scopes_and_no_other_holds_a_second() -> None:
    assert {scope: set(grants) for scope, grants in GRANTS.items()} == {
        "read": {"read"},
        "enqueue": {"enqueue"},
        "work": {"work"},
        "admin": {"read", "enqueue", "work", "admin"},
    }


def test_each_key_has_its_name_and_scopes() -> None:
    held = Keys(
        f"web:enqueue+read:{SECRET},\n ops:admin:sha256={sha256(OTHER.encode()).hexdigest()}"
    )
    assert granted(held.find(f"Bearer {SECRET}")) == ("web", {"enqueue", "read"})
    assert granted(held.find(f"bearer  {OTHER}")) == ("ops", set(GRANTS))


def test_without_any_key_none_is_needed_and_none_is_found() -> None:
    assert not Keys().are_needed
    assert Keys().find(f"Bearer {SECRET}") is None


WRONG = {
    "nothing": None,
    "no scheme": SECRET,
    "another scheme": f"Basic {SECRET}",
    "no key": "Bearer",
    "a blank key": "Bearer  ",
    "a prefix": f"Bearer {SECRET[:-1]}",
    "more": f"Bearer {SECRET}0",
    "another case": f"Bearer {SECRET.upper()}",
    "two headers": f"Bearer {SECRET}, Bearer {SECRET}",
    "two keys": f"Bearer {SECRET} {SECRET}",
    "a name": "Bearer web",
    "the digest": f"Bearer {sha256(SECRET.encode()).hexdigest()}",
    "the digest as it is written": f"Bearer sha256={sha256(SECRET.encode()).hexdigest()}",
    "not ASCII": "Bearer \xe9" + SECRET,
    "half a surrogate pair": "Bearer \ud800" + SECRET,
    "1 MB": "Bearer " + SECRET * 65536,
    "a NUL": f"Bearer {SECRET}\0",
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_key_finds_none(case: str) -> None:
    assert Keys(f"web:read:{SECRET}").find(WRONG[case]) is None


def test_every_key_is_compared_by_digest_in_the_same_time_whichever_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(keys.hmac, "compare_digest", compare)
    held = Keys(f"a:read:{SECRET},b:read:{OTHER},c:read:{SECRET * 2}")
    for sent in (SECRET, OTHER, SECRET * 2, "wrong"):
        held.find(f"Bearer {sent}")
    assert len(compared) == 3 * 4
    assert {len(digest) for pair in compared for digest in pair} == {32}


REFUSED = {
    "no scopes": ("web", "key 1 of BOLTQ_API_KEYS must be name:scopes:secret"),
    "no secret": ("web:read", "key 1 of BOLTQ_API_KEYS must be name:scopes:secret"),
    "an empty secret": ("web:read:", "the secret of web must have 16"),
    "a short secret": (f"web:read:{SECRET[:15]}", "the secret of web must have 16"),
    "a secret with a blank": (f"web:read:{SECRET} {SECRET}", "the secret of web"),
    "a secret that is not ASCII": (f"web:read:{SECRET}\xe9", "the secret of web"),
    "half a digest": ("web:read:sha256=0123456789abcdef", "64 hex digits"),
    "no name": (f":read:{SECRET}", "key 1 of BOLTQ_API_KEYS must be"),
    "a name with a blank": (f"a b:read:{SECRET}", "key 1 of BOLTQ_API_KEYS must be"),
    "an unknown scope": (f"web:write:{SECRET}", "read, enqueue, work, admin"),
    "open": (f"web:open:{SECRET}", "the scopes of web"),
    "an empty scope": (f"web:read+:{SECRET}", "the scopes of web"),
    "the secret of another": (f"a:read:{SECRET},b:admin:{SECRET}", "a and b have the same secret"),
    "the second": (f"a:read:{SECRET},nonsense", "key 2 of BOLTQ_API_KEYS must be"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_key_that_breaks_a_rule_is_refused_by_its_place_and_never_shown(case: str) -> None:
    written, rule = REFUSED[case]
    with pytest.raises(BadSetting) as refused:
        Keys(written)
    assert rule in str(refused.value)
    assert SECRET[:15] not in str(refused.value)
    assert "nonsense" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_key_shows_nothing_by_which_it_could_be_guessed() -> None:
    held = Keys(f"web:read:{SECRET}")
    shown = f"{held!r} {held.find(f'Bearer {SECRET}')!r} {vars(held)}"
    assert SECRET not in shown
    assert sha256(SECRET.encode()).hexdigest() not in shown
    assert repr(sha256(SECRET.encode()).digest()) not in shown


def write(file: Path, text: str) -> None:
    """Replace a file as careful programs do, so that its number is another one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    write(file, f"# the old one\n\nweb:read:{SECRET}  # until May\n")
    held = Keys(f"env:admin:{OTHER * 2}", file)
    assert granted(held.find(f"Bearer {SECRET}")) == ("web", {"read"})
    write(file, f"web:enqueue:{OTHER}\n")
    assert held.find(f"Bearer {SECRET}") is None
    assert granted(held.find(f"Bearer {OTHER}")) == ("web", {"enqueue"})
    assert granted(held.find(f"Bearer {OTHER * 2}")) == ("env", set(GRANTS))


def test_a_file_written_in_place_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"web:read:{SECRET}")
    held = Keys(file=file)
    file.write_text(f"web:read:{OTHER}")
    before = file.stat().st_mtime_ns
    os.utime(file, ns=(before + 1, before + 1))
    assert held.find(f"Bearer {OTHER}")


def test_who_comes_while_the_file_is_read_again_is_judged_by_what_it_says_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    write(file, f"web:read:{SECRET}")
    held = Keys(file=file)
    write(file, f"web:read:{OTHER}")
    begun, go, read = threading.Event(), threading.Event(), keys._read_file

    def slowly(file: Path) -> tuple[keys.Key, ...]:
        begun.set()
        assert go.wait(10)
        return read(file)

    monkeypatch.setattr(keys, "_read_file", slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(held.find, f"Bearer {OTHER}")
        assert begun.wait(10)
        gone = pool.submit(held.find, f"Bearer {SECRET}")
        wait([gone], 0.05)  # a wrong answer would be there by then
        go.set()
        assert first.result(10)
        assert gone.result(10) is None


@pytest.mark.parametrize("broken", ["nonsense", "", "web:read:short", None, b"\xff\xfe"])
def test_a_file_that_is_broken_changes_nothing_and_is_told_once(
    tmp_path: Path, broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys"
    file.write_text(f"web:read:{SECRET}")
    held = Keys(file=file)
    caplog.set_level(logging.INFO, "boltq")
    if broken is None:
        file.unlink()
    else:
        file.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
        os.utime(file, ns=(1, 1))
    assert all(held.find(f"Bearer {SECRET}") for _ in range(3))
    (told,) = caplog.records
    assert (told.levelname, told.getMessage()) == ("ERROR", "the keys stay as they were")
    assert str(file) in vars(told)["error"]
    write(file, f"web:read:{OTHER}")
    assert held.find(f"Bearer {OTHER}")
    assert held.find(f"Bearer {SECRET}") is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "holds no key"),
        ("# none\n", "holds no key"),
        (f"a:read:{SECRET}\nb", "line 2 of .*keys must be"),
    ],
)
def test_at_the_start_a_broken_file_is_refused(tmp_path: Path, text: str, rule: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(BadSetting, match=rule):
        Keys(file=file)
    with pytest.raises(BadSetting, match="cannot be read: No such file"):
        Keys(file=tmp_path / "absent")

"""REDIS_ADDR: every form, what is refused, and passwords that are never shown."""

from pathlib import Path

import pytest

from boltq import address
from boltq.address import Address
from boltq.errors import BadSetting

FORMS = {
    "localhost": Address("single", (("localhost", 6379),)),
    " redis.internal:7000 ": Address("single", (("redis.internal", 7000),)),
    "redis://h": Address("single", (("h", 6379),)),
    "redis://h:1/": Address("single", (("h", 1),)),
    "redis://[::1]:6380/3": Address("single", (("::1", 6380),), db=3),
    "redis://:p%40ss@h:1/3": Address("single", (("h", 1),), password="p@ss", db=3),
    "redis://u:p@h": Address("single", (("h", 6379),), username="u", password="p"),
    "redis://u:p/w?@h:1": Address("single", (("h", 1),), username="u", password="p/w?"),
    "rediss://u:@h:1": Address("single", (("h", 1),), username="u", password="", tls=True),
    "unix:///run/redis.sock": Address("unix", socket_path=Path("/run/redis.sock")),
    "unix:///a%20b/c@d.sock?db=2": Address("unix", socket_path=Path("/a b/c@d.sock"), db=2),
    "unix://u:p@/x": Address("unix", socket_path=Path("/x"), username="u", password="p"),
    "redis+sentinel://h1,h2:7/mine": Address(
        "sentinel", (("h1", 26379), ("h2", 7)), master_name="mine"
    ),
    "rediss+sentinel://u:p@h1/a%20b/2": Address(
        "sentinel", (("h1", 26379),), None, "u", "p", db=2, tls=True, master_name="a b"
    ),
    "redis+cluster://h1, h2:7": Address("cluster", (("h1", 6379), ("h2", 7))),
    "rediss+cluster://:p@h1/0": Address("cluster", (("h1", 6379),), password="p", tls=True),
}


@pytest.mark.parametrize("text", FORMS)
def test_each_form_is_read(text: str) -> None:
    assert address.parse(text) == FORMS[text]


@pytest.mark.parametrize("text", FORMS)
def test_what_is_shown_names_the_same_place_without_the_password(text: str) -> None:
    read = FORMS[text]
    again = address.parse(read.shown)
    assert again.shown == read.shown
    assert (again.hosts, again.socket_path, again.db) == (read.hosts, read.socket_path, read.db)
    assert (again.kind, again.tls, again.master_name) == (read.kind, read.tls, read.master_name)
    if read.password is not None:
        assert again.password == "***"


REFUSED = {
    "": "names no host",
    "redis://": "names no host",
    ":6379": "must name each host",
    "h:port": "must name each host",
    "h one:1": "must name each host",
    "redis://h:0": "port outside 1 to 65535",
    "h:65536": "port outside 1 to 65535",
    "h:6379/0": "needs redis:// before it",
    "redis://h/x": "a database number after the host",
    "redis://h/0/1": "a database number after the host",
    "redis://h?ssl=1": "must name each host",
    "redis://h1,h2": "names several hosts",
    "http://h": "begins with none of redis://",
    "REDIS://h": "begins with none of redis://",
    "unix://run/x": "a full path",
    "unix:///x?db=y": "only ?db=NUMBER",
    "unix:///x?foo=1": "only ?db=NUMBER",
    "redis+sentinel://h1,h2": "the master's name after the host",
    "redis+sentinel://h1/": "the master's name after the host",
    "redis+cluster://h/3": "no database",
    "redis+cluster://h1,,h2": "must name each host",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_address_is_refused_with_the_rule_and_the_forms(text: str) -> None:
    with pytest.raises(BadSetting) as refused:
        address.parse(text)
    assert REFUSED[text] in str(refused.value)
    assert repr(text) in str(refused.value)
    assert "redis+sentinel://host1,host2/name" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "u:s3cret@h:1",
        "redis://s3cret@h",
        "redis://u:s3cret@h:99999",
        "redis://u:s3c@s3cret/s3cret@:1",
        "http://u:s3cret@h",
        "unix://u:s3cret@x",
        "redis+sentinel://u:s3cret@h",
    ],
)
def test_a_refusal_never_shows_a_password(text: str) -> None:
    with pytest.raises(BadSetting) as refused:
        address.parse(text)
    assert "s3cret" not in str(refused.value)
    assert "***@" in str(refused.value)


def test_neither_repr_nor_shown_holds_the_password() -> None:
    read = address.parse("redis://anna:s3cret@h:1/2")
    assert "s3cret" not in repr(read) + read.shown
    assert read.shown == "redis://anna:***@h:1/2"

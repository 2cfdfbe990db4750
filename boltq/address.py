"""REDIS_ADDR: the forms in which a server is named, read into one value."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, quote, unquote

from boltq.errors import BadSetting

PORTS = range(1, 65536)

Kind = Literal["single", "unix", "sentinel", "cluster"]
FORMS = (
    "host:port, redis://host:port/db, rediss:// for TLS, unix:///path, "
    "redis+sentinel://host1,host2/name or redis+cluster://host1,host2, "
    "where user:password@ may stand after the ://"
)


class _Scheme(NamedTuple):
    kind: Kind
    tls: bool
    port: int
    path: re.Pattern[str]  # what follows the hosts,
    path_rule: str  # and the rule in words


_DB = re.compile(r"/?(?P<db>[0-9]{0,5})")
_NAME_DB = re.compile(r"/(?P<name>[^/]+)(/(?P<db>[0-9]{0,5}))?")
_NOTHING = re.compile(r"/?(?P<db>0?)")
_PLAIN = {
    "redis": _Scheme("single", tls=False, port=6379, path=_DB, path_rule="/ and a database number"),
    "redis+sentinel": _Scheme(
        "sentinel", tls=False, port=26379, path=_NAME_DB, path_rule="/ and the master's name"
    ),
    "redis+cluster": _Scheme(
        "cluster", tls=False, port=6379, path=_NOTHING, path_rule="no database, for it has only 0,"
    ),
}
_SCHEMES = _PLAIN | {
    name.replace("redis", "rediss"): scheme._replace(tls=True) for name, scheme in _PLAIN.items()
}
_HOST = re.compile(r"(\[(?P<v6>[0-9A-Fa-f:.%]+)\]|(?P<name>[A-Za-z0-9_.-]+))(:(?P<port>[0-9]+))?")


class _Refused(ValueError):
    """What is wrong, as the end of the sentence that begins with the address."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is, and who we are there.

    `hosts` are the server, the sentinels or some nodes of the cluster. Neither `shown` nor the
    repr holds the password.
    """

    kind: Kind
    hosts: tuple[tuple[str, int], ...] = ()
    socket_path: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0
    tls: bool = False
    master_name: str | None = None

    @property
    def shown(self) -> str:
        """The address for people and logs, `***` in the place of the password."""
        user = "" if self.password is None else f"{quote(self.username or '')}:***@"
        if self.socket_path is not None:
            database = f"?db={self.db}" if self.db else ""
            return f"unix://{user}{quote(str(self.socket_path))}{database}"
        scheme = "rediss" if self.tls else "redis"
        kind = "" if self.kind == "single" else f"+{self.kind}"
        hosts = ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )
        name = f"/{quote(self.master_name)}" if self.master_name else ""
        database = f"/{self.db}" if self.db else ""
        return f"{scheme}{kind}://{user}{hosts}{name}{database}"


def parse(text: str) -> Address:
    """Read an address in one of the forms of REDIS_ADDR.

    User, password, path and name may be %-encoded; where they hold `@ / ? %` they must be.

    Raises:
        BadSetting: the sentence names the address, without its password, and the rule.
    """
    text = text.strip()
    try:
        return _parse(text)
    except _Refused as refused:
        shown = re.sub(r"^([a-z+]+://)?.*@", r"\1***@", text)
        raise BadSetting(
            f"REDIS_ADDR is {shown!r}, which {refused}; it may be {FORMS}",
        ) from None


def _parse(text: str) -> Address:
    scheme, separator, rest = text.partition("://")
    if not separator:
        if "@" in text or "/" in text:
            raise _Refused("needs redis:// before it to hold a user or a database")
        return Address("single", _hosts(text, 6379))
    if scheme == "unix":
        return _unix(rest)
    if scheme not in _SCHEMES:
        raise _Refused(f"begins with none of {'://, '.join(_SCHEMES)}://, unix://")
    kind, tls, default_port, path_form, path_rule = _SCHEMES[scheme]
    who, at, place = rest.rpartition("@")
    username, password = _credentials(who) if at else (None, None)
    hosts_text, slash, path = place.partition("/")
    found = path_form.fullmatch(slash + path)
    if found is None:
        raise _Refused(f"must have {path_rule} after the host")
    hosts = _hosts(hosts_text, default_port)
    if kind == "single" and len(hosts) > 1:
        raise _Refused("names several hosts, which needs redis+sentinel:// or redis+cluster://")
    parts = found.groupdict()
    name = unquote(parts["name"]) if "name" in parts else None
    return Address(kind, hosts, None, username, password, int(parts["db"] or 0), tls, name)


def _unix(rest: str) -> Address:
    who, at, place = ("", "", rest) if rest.startswith("/") else rest.partition("@")
    username, password = _credentials(who) if at else (None, None)
    path, _, query = place.partition("?")
    if not path.startswith("/"):
        raise _Refused("must have a full path, with a third slash, after unix://")
    options = dict(parse_qsl(query, keep_blank_values=True))
    db = options.pop("db", "0")
    if options or not re.fullmatch("[0-9]{1,5}", db):
        raise _Refused("may have only ?db=NUMBER after the path")
    return Address("unix", (), Path(unquote(path)), username, password, int(db))


def _credentials(who: str) -> tuple[str | None, str]:
    username, colon, password = who.partition(":")
    if not colon:
        raise _Refused("must have user:password or :password before the @")
    return unquote(username) or None, unquote(password)


def _hosts(text: str, default_port: int) -> tuple[tuple[str, int], ...]:
    hosts = []
    for one in text.split(","):
        found = _HOST.fullmatch(one.strip())
        if found is None:
            raise _Refused("names no host" if not text else "must name each host as host:port")
        port = int(found["port"] or default_port)
        if port not in PORTS:
            raise _Refused("has a port outside 1 to 65535")
        hosts.append((found["v6"] or found["name"], port))
    return tuple(hosts)

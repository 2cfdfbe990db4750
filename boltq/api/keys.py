"""The keys of the API: who may use it, and for what.

A key is written `name:scopes:secret`. The name is for people and logs; scopes are some of `read`
`enqueue` `work` `admin` with + between; the secret is what programs send, or `sha256=` and the
digest of it in hex. Two keys may share a name, as the old one and the new one of a client do.
"""

import hmac
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Literal, TypeAlias, get_args

from boltq.errors import BadSetting
from boltq.settings import Settings

Scope: TypeAlias = Literal["open", "read", "enqueue", "work", "admin"]
"""What a request needs: nothing, or a key that grants this."""

LEAST_LETTERS = 16

GRANTS: Mapping[str, frozenset[str]] = {
    "read": frozenset({"read"}),
    "enqueue": frozenset({"enqueue"}),
    "work": frozenset({"work"}),
    "admin": frozenset({"read", "enqueue", "work", "admin"}),
}
"""What each scope of a key grants. A producer sees the jobs that it makes, a worker those that it
claims; to look at any other, either needs `read`, too."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECRET = re.compile(rf"[A-Za-z0-9._~+/=-]{{{LEAST_LETTERS},512}}")  # what RFC 6750 lets be sent
_DIGEST = re.compile(r"sha256=([0-9A-Fa-f]{64})")
_BEARER = re.compile(r"Bearer +([^\s,]+)", re.IGNORECASE)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """One key, of which only the digest is kept: nothing that shows it can show the secret."""

    name: str
    grants: frozenset[str]
    digest: bytes = field(repr=False)


class Keys:
    """The keys that hold now.

    written: keys with commas or lines between. file: more of them, one a line, `#` for people; it
    is read again when it changes. One that is broken or gone changes nothing, and is logged.

    Raises BadSetting at the first reading, naming the place but never a secret.
    """

    def __init__(self, written: str = "", file: Path | None = None) -> None:
        self._fixed = _read(re.split(r"[,\n]", written), "key", "BOLTQ_API_KEYS")
        self._file = file
        self._seen = _version(file)
        self._lock = Lock()
        self._keys = self._fixed + (_read_file(file) if file else ())
        _refuse_doubles(self._keys)

    @classmethod
    def of(cls, settings: Settings) -> "Keys":
        """Return the keys that the settings name."""
        return cls(settings.api_keys or "", settings.api_keys_file)

    @property
    def are_needed(self) -> bool:
        """Whether any was given: if not, everybody may do everything."""
        return bool(self._keys or self._file)

    def find(self, authorization: str | None) -> Key | None:
        """Return the key that a header Authorization holds; costs 1 to 2 us.

        How long it takes tells nothing of how much of a key is right.
        """
        self._look_again()
        if not self._keys:
            return None
        bearer = _BEARER.fullmatch((authorization or "").strip())
        sent = bearer[1] if bearer else ""
        digest = sha256(sent.encode("utf-8", "surrogatepass")).digest()
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def admit(self, authorization: str | None) -> bool:
        """Tell whether a request may send a large body: it has a key, or none is needed."""
        return not self.are_needed or self.find(authorization) is not None

    def _look_again(self) -> None:
        if self._file is None or _version(self._file) == self._seen:
            return
        with self._lock:
            version = _version(self._file)
            if version == self._seen:
                return
            try:
                keys = self._fixed + _read_file(self._file)
                _refuse_doubles(keys)
            except BadSetting as error:
                _log.error("the keys stay as they were", extra={"error": str(error)})
            else:
                self._keys = keys
                _log.info("the keys were read again", extra={"count": len(keys)})
            # Only now: until then others come here, and wait for what holds from now on.
            self._seen = version


def _version(file: Path | None) -> tuple[int, ...]:
    if file is None:
        return ()
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read_file(file: Path) -> tuple[Key, ...]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise BadSetting(f"BOLTQ_API_KEYS_FILE {file} cannot be read: {reason}") from None
    keys = _read((line.partition("#")[0] for line in lines), "line", str(file))
    if not keys:
        raise BadSetting(f"BOLTQ_API_KEYS_FILE {file} holds no key: write name:scopes:secret")
    return keys


def _read(written: Iterable[str], what: str, place: str) -> tuple[Key, ...]:
    numbered = enumerate((one.strip() for one in written), 1)
    return tuple(_key(one, f"{what} {number} of {place}") for number, one in numbered if one)


def _key(text: str, place: str) -> Key:
    name, _, rest = text.partition(":")
    scopes, colon, secret = rest.partition(":")
    if not colon or not _NAME.fullmatch(name):
        # What stands there may be a secret: it is told by its place alone.
        rule = "with a name of 1 to 64 letters, digits or ._-"
        raise BadSetting(f"{place} must be name:scopes:secret, {rule}")
    granted = [GRANTS.get(scope) for scope in scopes.split("+")]
    if None in granted:
        known = ", ".join(GRANTS)
        raise BadSetting(f"{place}: the scopes of {name} must be some of {known}, with + between")
    return Key(
        name, frozenset().union(*(one or () for one in granted)), _digest(secret, name, place)
    )


def _digest(secret: str, name: str, place: str) -> bytes:
    if digest := _DIGEST.fullmatch(secret):
        return bytes.fromhex(digest[1])
    if secret.startswith("sha256=") or not _SECRET.fullmatch(secret):
        rule = (
            f"{LEAST_LETTERS} to 512 letters, digits or ._~+/=-, as from: openssl rand -hex 24; "
            "or sha256= and 64 hex digits"
        )
        raise BadSetting(f"{place}: the secret of {name} must have {rule}")
    return sha256(secret.encode()).digest()


def _refuse_doubles(keys: Iterable[Key]) -> None:
    names: dict[bytes, str] = {}
    for key in keys:
        if key.digest in names:
            raise BadSetting(f"the keys {names[key.digest]} and {key.name} have the same secret")
        names[key.digest] = key.name


assert set(GRANTS) == set(get_args(Scope)) - {"open"}

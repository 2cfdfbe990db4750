"""Who may do what: the name by which a request calls us, its key, how often, and its method."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from math import ceil
from typing import Any, Self

import falcon

from boltq.api import parking
from boltq.api.keys import Key, Keys
from boltq.api.middleware import PROBES
from boltq.api.problems import CHALLENGE, MEDIA_TYPE, Refusal
from boltq.api.rate import Rate
from boltq.api.routes import Route
from boltq.errors import BadSetting
from boltq.settings import Settings

ANY = "*"

_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^:\[\]]+)(:[0-9]{1,5})?")
_NO_KEYS = Keys()
_NO_RATE = Rate(0, 1)


class Access:
    """Lets a request through to its route, or refuses it, before anything of it is read.

    routes: the table. keys: who may use it; none is everybody. rate: for each client, a key or else
    an address. hosts: by which names we may be called, which is what stops a page whose own name
    was made to lead here; IP addresses and localhost always, ANY is all. needs_match: whether who
    changes a job must say with If-Match as what it was seen.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        keys: Keys = _NO_KEYS,
        rate: Rate = _NO_RATE,
        hosts: Iterable[str] = (ANY,),
        *,
        needs_match: bool = False,
    ) -> None:
        self._routes: Mapping[str, Route] = {route.path: route for route in routes}
        self._keys = keys
        self._rate = rate
        self._hosts = frozenset(host.lower() for host in hosts)
        self._needs_match = needs_match

    @classmethod
    def of(cls, settings: Settings, routes: Iterable[Route], keys: Keys | None = None) -> Self:
        """Return what the settings ask for; `keys` are theirs, if they were read already.

        Raises BadSetting for keys that break a rule, and for an address that others reach where
        nobody needs a key.
        """
        keys = Keys.of(settings) if keys is None else keys
        if not keys.are_needed and settings.api_open != "yes" and not _is_here(settings.api_host):
            raise BadSetting(
                f"API_HOST is {settings.api_host}, where others reach the API, and there are no "
                "keys: set BOLTQ_API_KEYS, or listen on 127.0.0.1, or, if something else keeps "
                "strangers out, set BOLTQ_API_OPEN=yes"
            )
        rate = Rate(settings.api_rate, settings.api_burst)
        hosts = (settings.api_host, *settings.api_hosts)
        return cls(routes, keys, rate, hosts, needs_match=settings.api_if_match == "yes")

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Look at the name and the key; raise a 421 or a 429. Probes are not held up."""
        req.context.is_head = req.method == "HEAD"
        if req.context.is_head:
            req.method = "GET"
        req.context.key, req.context.caller = None, ""
        req.context.is_guarded = self._keys.are_needed
        if req.path in PROBES:
            return
        self._check_host(req.env.get("HTTP_HOST"))
        key = self._keys.find(req.env.get("HTTP_AUTHORIZATION"))
        if key:
            req.context.key, req.context.caller = key, key.name
            req.context.concerns["caller"] = key.name
        if parking.resumed(req):  # it has waited, and was counted when it came
            return
        if not self._rate.is_limited:
            return
        if pause := self._rate.take(f"key {key.name}" if key else _place(req.remote_addr)):
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "this client has sent too many requests: wait as long as Retry-After says",
                headers={"Retry-After": str(ceil(pause))},
            )

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _params: dict[str, Any]
    ) -> None:
        """Look at the method, at what the key grants and what is accepted.

        Answers OPTIONS; raises a 401, 403, 405, 406 or 428.
        """
        route = self._routes[str(req.uri_template)]
        if req.method == "OPTIONS":
            resp.status = HTTPStatus.NO_CONTENT
            resp.set_header("Allow", ", ".join(route.methods))
            resp.complete = True
            return
        scope = route.scopes.get(req.method)
        if scope is None:
            raise falcon.HTTPMethodNotAllowed(route.methods)
        if scope != "open" and req.context.is_guarded:
            _check_scope(scope, req.context.key, req.env.get("HTTP_AUTHORIZATION"))
        if self._needs_match and req.method in route.matched and not req.env.get("HTTP_IF_MATCH"):
            raise Refusal(
                HTTPStatus.PRECONDITION_REQUIRED,
                "BOLTQ_API_IF_MATCH asks for the header If-Match here: the ETag of the job as you "
                "have seen it, or * for any",
            )
        if req.accept == "*/*" or not route.media:
            return
        if not any(map(req.client_accepts, (*route.media, MEDIA_TYPE))):
            raise Refusal(
                HTTPStatus.NOT_ACCEPTABLE, f"what is here can only be had as {route.media[0]}"
            )

    def process_response(
        self, req: falcon.Request, _resp: falcon.Response, _resource: object, _succeeded: object
    ) -> None:
        """Let HEAD be HEAD again, which has the headers of GET and no body."""
        if req.context.is_head:
            req.method = "HEAD"

    def _check_host(self, header: str | None) -> None:
        if header is None or ANY in self._hosts:  # HTTP/1.0, which no browser speaks
            return
        found = _HOST.fullmatch(header)
        host = found[1].strip("[]").rstrip(".").lower() if found else ""
        if host in self._hosts or host == "localhost" or _address(host):
            return
        raise Refusal(
            HTTPStatus.MISDIRECTED_REQUEST,
            "the API is not called by this name; BOLTQ_API_HOSTS can add it to those that it has",
        )


def _check_scope(scope: str, key: Key | None, sent: str | None) -> None:
    if key is None:
        wrong = ', error="invalid_token"' if sent else ""
        raise Refusal(
            HTTPStatus.UNAUTHORIZED,
            "this needs a key, sent as: Authorization: Bearer SECRET"
            if sent is None
            else "the header Authorization holds no key that is valid here",
            headers={"WWW-Authenticate": CHALLENGE + wrong},
        )
    if scope not in key.grants:
        challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            f"the key {key.name} lacks the scope {scope}",
            word="SCOPE_MISSING",
            headers={"WWW-Authenticate": challenge},
            scope=scope,
        )


@lru_cache(maxsize=1024)
def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_here(host: str) -> bool:
    """Tell whether only programs of this machine reach what listens on a host."""
    address = _address(host)
    if address is not None:
        return address.is_loopback
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(place[4][0]).is_loopback for place in found)


def _place(text: str) -> str:
    """Return whose requests are counted together: of IPv6 all that one household has."""
    address = _address(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address.packed[:8] + bytes(8), 64)))
    return text

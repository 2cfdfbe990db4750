"""The table of routes: whoever adds a method there says who may use it."""

from falcon.constants import HTTP_METHODS

from boltq.api import routes
from boltq.client import BoltQ


def test_every_method_of_every_route_has_a_scope_and_no_other_has() -> None:
    for route in routes.table(BoltQ("localhost:1")):
        answered = {name for name in HTTP_METHODS if hasattr(route.resource, f"on_{name.lower()}")}
        assert answered == set(route.scopes), route.path


def test_what_changes_something_needs_more_than_to_read() -> None:
    for route in routes.table(BoltQ("localhost:1")):
        for method, scope in route.scopes.items():
            assert method == "GET" or scope in ("enqueue", "work", "admin"), route.path

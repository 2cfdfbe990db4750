"""A call that is under way while its caller prepares the next one."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from redis.exceptions import RedisError

from boltq.call import Call

R = TypeVar("R")


class Ahead(Generic[R]):
    """A call of a script on a single server; it has been sent when this is made, if it could be.

    client: one of redis-py; None: it is not sent before its answer is wanted. pack: writes the
    call as it travels. again: makes the call from the beginning, with all that goes with that,
    where it was not answered or was refused.
    """

    def __init__(
        self,
        client: Any,
        call: Call[R],
        pack: Callable[[Call[R]], bytes],
        again: Callable[[], R],
    ) -> None:
        self._call = call
        self._again = again
        self._connection: Any = None
        if client is None:
            return
        self._pool = client.connection_pool
        try:
            packed = pack(call)
            self._connection = self._pool.get_connection()
            self._connection.ask([packed])
        except BaseException as problem:
            self.drop()
            if not isinstance(problem, RedisError | OSError):
                raise

    def answer(self) -> R:
        """Wait for the answer; to be asked once. Raises as the call from the beginning does."""
        if self._connection is None:
            return self._again()
        try:
            reply = self._connection.hear()
        except BaseException as problem:
            self.drop()
            if not isinstance(problem, RedisError | OSError):
                raise
            return self._again()
        self._pool.release(self._connection)
        self._connection = None
        # Refused, it is made once more, with all that tells one refusal from another.
        if isinstance(reply, Exception):
            return self._again()
        return self._call.parse(cast("list[object]", reply))

    def drop(self) -> None:
        """Do not wait any more: nobody hears whether the script has run."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.release(connection)  # which closes it: an answer is still to come

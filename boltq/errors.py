"""One class for each word with which a script, or the road to it, refuses."""


class BoltQError(Exception):
    """Anything that BoltQ refuses, in a sentence for people.

    `word` is the first word of the script's reply, `status` the HTTP status of the API.
    """

    word = "ERROR"
    status = 500


class BadArgument(BoltQError):
    """An argument breaks its rule; nothing was written."""

    word = "BAD_ARGUMENT"
    status = 400


class BadKeys(BoltQError):
    """A script was called with keys that are not its own: a fault of the calling library."""

    word = "BAD_KEYS"


class TooLarge(BoltQError):
    """A payload, a result or a whole batch is above its limit; nothing was written."""

    word = "TOO_LARGE"
    status = 413


class UpgradeNeeded(BoltQError):
    """The queue uses what this version's scripts would damage; nothing was written."""

    word = "UPGRADE"
    status = 503


class LeaseLost(BoltQError):
    """The job is not leased under this token, or no longer."""

    word = "LEASE_LOST"
    status = 409


class UnknownJob(BoltQError):
    """Nothing is kept of such a job."""

    word = "UNKNOWN"
    status = 404


class WrongState(BoltQError):
    """The job is in a state in which this verb does not apply."""

    word = "WRONG_STATE"
    status = 409


class Moved(BoltQError):
    """The job is not where the caller has seen it: nothing was changed.

    `place` is where it is now.
    """

    word = "MOVED"
    status = 412

    def __init__(self, sentence: str, place: str = "") -> None:
        super().__init__(sentence)
        self.place = place

    @classmethod
    def of(cls, id: str, place: str) -> "Moved":
        """Return the refusal for a job that is at a place."""
        return Moved(f"job {id} is {place.partition(':')[0]}, and no more as it was seen", place)


class UnknownQueue(BoltQError):
    """Nobody has used such a queue, or it was deleted."""

    word = "UNKNOWN_QUEUE"
    status = 404


class UnknownWorker(BoltQError):
    """No such worker was heard of within the last ten minutes, or it has ended."""

    word = "UNKNOWN_WORKER"
    status = 404


class NotEmpty(BoltQError):
    """The queue keeps jobs: only an empty one can be deleted."""

    word = "NOT_EMPTY"
    status = 409


class UnknownOperation(BoltQError):
    """Nothing is kept of such an operation."""

    word = "UNKNOWN_OPERATION"
    status = 404


class CountDiffers(BoltQError):
    """There are not as many jobs as expected, but `counted`: nothing was begun."""

    word = "DIFFERS"
    status = 409

    def __init__(self, sentence: str, counted: int = 0) -> None:
        super().__init__(sentence)
        self.counted = counted


class TooManyOperations(BoltQError):
    """A queue keeps as many operations as it can, and none of them has ended."""

    word = "BUSY"
    status = 409


class JobDead(BoltQError):
    """A job whose result was asked for is dead: its last error is in the sentence."""

    word = "DEAD"
    status = 409


class JobCancelled(BoltQError):
    """A job whose result was asked for was cancelled."""

    word = "CANCELLED"
    status = 409


class WaitTimeout(BoltQError, TimeoutError):
    """A job did not end within the time that was given; it goes on as before."""

    word = "WAIT_TIMEOUT"
    status = 504


class Unavailable(BoltQError):
    """Redis did not answer within the time that was given.

    `unknown_ids` are the jobs of a request that was sent and never answered: it may have been
    carried out. Repeating it with the same ids is safe.
    """

    word = "UNAVAILABLE"
    status = 503

    def __init__(self, sentence: str, unknown_ids: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.unknown_ids = unknown_ids


class ServerFull(BoltQError):
    """Redis is out of memory: it takes no new jobs, but can be drained and looked at."""

    word = "FULL"
    status = 503


class NotAllowed(BoltQError):
    """Redis refused the user, the password or a command."""

    word = "NOT_ALLOWED"
    status = 503


class Corrupt(BoltQError):
    """A key of the queue holds what BoltQ did not write there."""

    word = "CORRUPT"


class BadSetting(BoltQError):
    """A flag, an environment variable or a line of `.env` breaks its rule."""

    word = "BAD_SETTING"
    status = 400


_REFUSALS: dict[str, type[BoltQError]] = {
    kind.word: kind for kind in (BadArgument, BadKeys, TooLarge, UpgradeNeeded)
}


def refusal(word: str, sentence: str) -> BoltQError:
    """Turn a script's word of refusal and its sentence into the exception to raise."""
    return _REFUSALS.get(word, Corrupt)(sentence)

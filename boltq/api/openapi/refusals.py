"""What the document says of each status by which a request is refused."""

from collections.abc import Mapping

MEANINGS: Mapping[int, str] = {
    400: "It breaks a rule: `field` names what, the sentence which rule.",
    401: "It needs a key, and has none that is valid.",
    403: "The key lacks the `scope`, or a page of another site has asked.",
    404: "Nothing is known of what it names.",
    405: "The path has no such method: `Allow` names those that it has.",
    406: "What is here cannot be had in a form that it accepts.",
    408: "It took too long to arrive.",
    409: "It does not fit how things stand now: `word` and sentence say how.",
    412: "The job is not as `If-Match` says: `ETag` is its tag now.",
    413: "It is larger than what is taken.",
    415: "The body is not sent as JSON, or is compressed.",
    421: "The API is not called by this name.",
    422: "The same `Idempotency-Key`, or `id` of an operation, came with another body before.",
    428: "`If-Match` is missing, which `BOLTQ_API_IF_MATCH` asks for.",
    429: "This client asks too often: `Retry-After` says when to come again.",
    431: "Its line and headers are larger than what is taken.",
    500: "The API met what it did not expect; its log tells more under the `request_id`.",
    503: "Redis is away, refuses us, or is full; to ask again is safe.",
}
"""What each status says of a request that is refused."""

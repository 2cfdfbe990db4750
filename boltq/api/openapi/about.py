"""What else there is: the API itself, its document and its health, and the scripts."""

from collections.abc import Mapping

from boltq import exposition
from boltq.api.openapi.operation import JSON, Answer, Operation

AREA = "About"
ABOUT = "What runs here, whether it is well, and the scripts that all of it is made of."

_FILE = "Without anything from elsewhere; it asks nothing but this API."

OPERATIONS: Mapping[str, Operation] = {
    "GET /": Operation(
        "about",
        AREA,
        "What runs here",
        "As text, as JSON for programs; a browser is given the page of queues and jobs.",
        {
            200: Answer(
                "What runs here, and how to try it.", "About", (JSON, "text/plain", "text/html")
            )
        },
    ),
    "GET /page/{version}/{part}": Operation(
        "pageFile",
        AREA,
        "A file of the page",
        f"The page itself is `GET /`, which names its files by their version. {_FILE}",
        {200: Answer("The file.", "Text", ("text/javascript", "text/css", "image/svg+xml"))},
        refusals=(404,),
        parameters=("version", "part"),
    ),
    "GET /page/{version}/{part}/{file}": Operation(
        "pageFolder",
        AREA,
        "A file of the page, in a folder",
        _FILE,
        {200: Answer("The file.", "Text", ("text/javascript", "text/css"))},
        refusals=(404,),
        parameters=("version", "part", "file"),
    ),
    "GET /healthz": Operation(
        "healthz",
        AREA,
        "Whether this process is alive",
        "Whatever Redis does.",
        {200: Answer("It is.", "Health")},
    ),
    "GET /readyz": Operation(
        "readyz",
        AREA,
        "Whether Redis answers now",
        "A 503 if it does not.",
        {200: Answer("It does.", "Health")},
    ),
    "GET /metrics": Operation(
        "metrics",
        AREA,
        "What the queues hold, for Prometheus",
        "In OpenMetrics 1.0 or the older text format. It shows what `GET /api/overview` shows, so "
        "Redis is asked at most once a second; while that is away, `boltq_redis_up` is 0.",
        {200: Answer("The metrics.", "Text", exposition.MEDIA)},
    ),
    "GET /api/scripts": Operation(
        "scripts",
        AREA,
        "All scripts with their contracts",
        "The manifest: what a client needs to speak to Redis itself, in any language.",
        {200: Answer("The manifest.", "Manifest")},
    ),
    "GET /api/scripts/{name}": Operation(
        "script",
        AREA,
        "One script",
        "Its linked source, as it goes to SCRIPT LOAD.",
        {200: Answer("The source.", "Text", ("text/plain",), ("Script-SHA1",))},
        refusals=(404,),
        parameters=("name",),
    ),
    "GET /api/openapi.json": Operation(
        "openapi",
        AREA,
        "This document",
        "OpenAPI 3.1; it says nothing secret, so anybody may read it.",
        {200: Answer("The document.", "OpenApi")},
    ),
    "GET /api/docs": Operation(
        "docs",
        AREA,
        "A page of this document",
        f"It shows each operation and tries it. {_FILE}",
        {200: Answer("The page.", "Text", ("text/html",))},
    ),
}

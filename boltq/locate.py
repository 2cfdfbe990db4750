"""Which server a command speaks to, when nobody said it in so many words."""

from urllib.parse import quote

from boltq import address
from boltq.embedded import running_socket
from boltq.settings import Settings


def server_address(settings: Settings, given: str | None = None) -> address.Address:
    """Find the server: as given, else REDIS_ADDR, else the embedded one, else localhost:6379.

    given: an address that wins over the settings. The embedded server is that of the data folder,
    if one is running there.
    """
    if given or settings.redis_addr:
        return address.parse(given or settings.redis_addr or "")
    socket = running_socket(settings.data_dir)
    return address.parse(f"unix://{quote(str(socket))}" if socket else "localhost:6379")


def explained(settings: Settings, found: address.Address) -> str:
    """Say which server was found where the settings name none; the empty text where they do."""
    if settings.redis_addr:
        return ""
    folder = settings.data_dir.expanduser().absolute()
    if found.kind == "unix":
        return f"no REDIS_ADDR is given: using the embedded server of {folder}"
    return f"no REDIS_ADDR is given and no embedded server runs in {folder}: using {found.shown}"

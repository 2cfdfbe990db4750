"""The data folder of an embedded server: who may use it, whose it is now, where its socket is."""

import fcntl
import hashlib
import os
import stat
import tempfile
import time
from pathlib import Path

from boltq.errors import BadSetting

# 104 bytes with the closing zero is the bound of macOS, the smaller one; Linux has 108.
SOCKET_PATH_BYTES = 103


def prepare(data_dir: Path) -> Path:
    """Make the folder for its owner alone, unless it exists, and return its full path.

    Raises:
        BadSetting: it cannot be made, is no folder, or lets anybody write into it.
    """
    folder = data_dir.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.resolve(strict=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise BadSetting(f"the data folder {folder} cannot be made: {error.strerror}") from error
    # Files in it are made private, but whoever may write there could put theirs in their place.
    if mode & 0o002:
        raise BadSetting(
            f"the data folder {folder} can be written by everybody on this machine: name another "
            f"in BOLTQ_DATA_DIR, or `chmod o-w` it",
        )
    return folder


def lock(path: Path, patience_seconds: float = 0.0) -> int | None:
    """Take the lock file `path` for as long as the returned descriptor, or a copy of it, is open.

    Returns:
        The descriptor, or None where somebody else still holds the lock after `patience_seconds`.
        The kernel frees it when the holder ends, however it ends, so none is ever left behind.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.01)
        else:
            return descriptor


def note_holder(descriptor: int, pid: int) -> None:
    """Write who holds the lock into its file, for the sentence of whoever comes next."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{pid}\n".encode(), 0)


def noted_holder(path: Path) -> str:
    """Return the process id last noted in a lock file, or "?"."""
    try:
        return path.read_text().strip() or "?"
    except OSError:
        return "?"


def choose_socket(folder: Path) -> Path:
    """Return where a server of this folder is to listen, and note it for those who look for it.

    That is the folder itself, unless its path is too long for a socket: then the user's runtime
    folder, under a name made from the path.

    Raises:
        BadSetting: the runtime folder is not the user's own.
    """
    inside = folder / "server.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES:
        return inside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    outside = _runtime_folder() / f"{name}.sock"
    (folder / "socket-path").write_text(str(outside))
    return outside


def expected_socket(folder: Path) -> Path:
    """Return where a server of this folder listens, if one runs."""
    inside = folder / "server.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES:
        return inside
    try:
        # Read rather than worked out again: the runtime folder may differ between two sessions.
        return Path((folder / "socket-path").read_text())
    except OSError:
        return inside


def _runtime_folder() -> Path:
    given = os.environ.get("XDG_RUNTIME_DIR")
    uid = os.getuid()
    folder = Path(given) / "boltq" if given else Path(tempfile.gettempdir()) / f"boltq-{uid}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        # Not followed if it is a link: in a temporary folder anybody could have put one there.
        status = folder.lstat()
    except OSError as error:
        raise BadSetting(
            f"no place for the embedded server's socket: {folder} cannot be made "
            f"({error.strerror}); name a data folder with a shorter path in BOLTQ_DATA_DIR",
        ) from error
    if status.st_uid != uid or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077:
        raise BadSetting(
            f"no place for the embedded server's socket: {folder} is not this user's alone; "
            f"name a data folder with a shorter path in BOLTQ_DATA_DIR",
        )
    return folder

"""What the page holds of others: fetched again, and compared with what is kept of it.

python -m rig.vendored          fetch the packages that versions.json names, and write the files
python -m rig.vendored --check  only compare the files with the digests in it, without a network

A package is taken as the registry has it, if its tarball has the digest that is written down. Of a
file only what imports it by a bare name is rewritten, since a page without an import map cannot
find that; of a script that sets a global, that it is exported.
"""

import base64
import hashlib
import io
import json
import re
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LISTED = ROOT / "boltq/page/vendor/versions.json"
REGISTRY = "https://registry.npmjs.org"

_BARE = re.compile(rb"""((?:from|import)\s*)"([@a-z][^"]*)\"""")
_MAP = re.compile(rb"\n?//# sourceMappingURL=.*\s*$")


def listed() -> dict[str, Any]:
    """Return the packages by name, each with version, licence, digest and files."""
    return dict(json.loads(LISTED.read_text(encoding="utf-8")))


def differing(packages: dict[str, Any]) -> list[str]:
    """Return the files that are not there, or not as they were written down."""
    return [
        path
        for told in packages.values()
        for path, one in told["files"].items()
        if not (ROOT / path).is_file() or digest((ROOT / path).read_bytes()) != one["sha256"]
    ]


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file in hex."""
    return hashlib.sha256(content).hexdigest()


def rewritten(content: bytes, one: dict[str, Any], names: dict[str, str]) -> bytes:
    """Return a file as the page takes it: by relative names, without a map, with an export."""
    if one.get("as_is"):
        return content
    content = _BARE.sub(lambda at: at[1] + b'"./%b"' % names[at[2].decode()].encode(), content)
    content = _MAP.sub(b"\n", content)
    return (
        content + b"export default %b;\n" % one["global"].encode() if "global" in one else content
    )


def fetched(name: str, told: dict[str, Any]) -> tarfile.TarFile:
    """Return a package of the registry; raises SystemExit where its digest is another."""
    url = f"{REGISTRY}/{name}/-/{name.rpartition('/')[2]}-{told['version']}.tgz"
    with urllib.request.urlopen(url, timeout=60) as answer:
        packed = answer.read()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
    if integrity != told["integrity"]:
        raise SystemExit(f"{url} has the digest {integrity}, not the one that is written down")
    return tarfile.open(fileobj=io.BytesIO(packed))


def main() -> int:
    """Fetch or check; returns the exit status."""
    packages = listed()
    if "--check" in sys.argv:
        wrong = differing(packages)
        for path in wrong:
            print(f"{path} is not as it was written down")
        return bool(wrong)
    names = {
        one["imported_as"]: Path(path).name
        for told in packages.values()
        for path, one in told["files"].items()
        if "imported_as" in one
    }
    for name, told in packages.items():
        package = fetched(name, told)
        for path, one in told["files"].items():
            inside = package.extractfile(f"package/{one['from']}")
            assert inside is not None
            content = rewritten(inside.read(), one, names)
            one["sha256"] = digest(content)
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_bytes(content)
            print(path, len(content))
    LISTED.write_text(json.dumps(packages, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

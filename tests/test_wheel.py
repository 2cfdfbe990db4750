"""What is published: the wheel and the sdist are complete, and the wheel works alone."""

import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hatchling.build import build_sdist, build_wheel
from programs import started_in
from servers import until

from boltq import __version__

ROOT = Path(__file__).parents[1]
WRITTEN_BY_TOOLS = ("__pycache__", ".pyc")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both, built without a download."""
    folder = tmp_path_factory.mktemp("dist")
    in_folder(ROOT, build_sdist, folder)
    in_folder(ROOT, build_wheel, folder)
    return folder


def in_folder(source: Path, build: Callable[[str], str], folder: Path) -> Path:
    """Build from a folder of sources, as pip or build would: from within it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(source)
        return folder / build(str(folder))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def sources(folder: str, below: str) -> set[str]:
    """The files of a folder of the repository, as they are named below another."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {
        f"{below}/{path.relative_to(ROOT / folder)}"
        for path in found
        if not any(mark in str(path) for mark in WRITTEN_BY_TOOLS)
    }


def the(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def test_the_wheel_holds_the_package_the_scripts_and_nothing_else(built: Path) -> None:
    wheel = contents(the(built, "*.whl"))
    packed = {name for name in wheel if ".dist-info/" not in name}
    assert packed == sources("boltq", "boltq") | sources("lua", "boltq/lua")
    assert {"boltq/manifest.json", "boltq/py.typed", "boltq/lua/parts/name.lua"} <= packed
    assert {"boltq/page/docs.html", "boltq/page/index.html", "boltq/page/main.js"} <= packed
    assert {"boltq/page/screens/job.js", "boltq/page/vendor/preact.LICENSE"} <= packed
    assert "boltq/page/words/de.js" in packed
    assert "boltq/api/openapi/examples.json" in packed
    assert f"boltq-{__version__}.dist-info/licenses/LICENSE" in wheel


def test_the_sdist_holds_what_it_takes_to_go_on_developing(built: Path) -> None:
    with tarfile.open(the(built, "*.tar.gz")) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert sources("boltq", "boltq") | sources("lua", "lua") <= names
    assert {"Makefile", "README.md", "LICENSE", "pyproject.toml", ".gitignore"} <= names
    assert {"tests/conftest.py", "tests/clients/client.sh", "tests/test_wheel.py"} <= names
    assert not any("node_modules" in name or name.startswith((".venv", ".git/")) for name in names)


def test_the_sdist_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    # Python before 3.11.4 knows no filters, and from 3.12 on warns who names none.
    chosen: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(the(built, "*.tar.gz")) as opened:
        opened.extractall(tmp_path, **chosen)
    again = in_folder(the(tmp_path, "boltq-*"), build_wheel, tmp_path)
    assert contents(again) == contents(the(built, "*.whl"))


def test_the_wheel_works_where_the_repository_is_not(built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet"]
    install = ["install", "--no-index", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, *install, str(the(built, "*.whl"))], check=True, timeout=50)
    # What BoltQ depends on is taken from here, without its own editable install.
    site = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")}))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))

    def said(*command: str) -> str:
        ran = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
        )
        assert ran.stderr == ""
        assert ran.returncode == 0
        return ran.stdout.strip()

    code = "import boltq, boltq.client; print(boltq.__file__)"
    assert said(str(python), "-c", code) == str(site / "boltq/__init__.py")
    assert said(str(python.parent / "boltq"), "--version") == f"boltq {__version__}"
    assert "ack.lua" in said(str(python.parent / "boltq"), "export", "scripts", "exported")
    assert (tmp_path / "exported/ack.lua").exists()
    assert "Usage: boltq-worker" in said(str(python.parent / "boltq-worker"), "--help")
    with started_in(tmp_path, python.parent) as start:
        up = start("boltq", "up", "--port", "0").find_api()
        id = up.enqueue("echo", "hello")
        until(lambda: up.job(id)["state"] == "completed")
        assert up.job(id)["result"] == "hello"
        assert up.end() == 0

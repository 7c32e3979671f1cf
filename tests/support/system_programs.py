"""Programs that come from the operating system, not from PyPI."""

from __future__ import annotations

import shutil

import pytest


def program(name: str, package: str) -> str:
    """The path of a program; the test is skipped, with how to get it, where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install {package})")  # it cannot come from PyPI
    return found

"""Real corpora, where a machine has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_folder(corpus: str) -> Path:
    """The folder of one corpus under PHONOSCOPE_DATA; the test is skipped where there is none."""
    root = os.environ.get("PHONOSCOPE_DATA")
    if not root:
        pytest.skip("PHONOSCOPE_DATA does not name a folder of real corpora")  # the corpora may not be redistributed
    folder = Path(root) / corpus
    if not folder.is_dir():
        pytest.skip(f"PHONOSCOPE_DATA holds no {corpus}/")  # likewise
    return folder

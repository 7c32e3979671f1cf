"""What a training frees is kept by its process; any other gives it back."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

MB = 2**20
FREED = """\
import sys
import numpy as np
from phonoscope_trainer.memory import keep_freed

def resident():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmRSS"))

if sys.argv[1] == "kept":
    keep_freed()
before = resident()
large = np.ones(100 * 2**20, np.uint8)
del large
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not GNU's")
def test_what_is_freed_is_kept_where_it_is_asked_for():
    kept, given_back = (
        int(subprocess.run([sys.executable, "-c", FREED, how], capture_output=True, text=True, check=True).stdout)
        for how in ("kept", "given back")
    )
    assert kept > 90 * MB
    assert given_back < 20 * MB

"""A wall clock of one service that is set while it runs, as nobody may set the machine's."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

from support.system_programs import program

SOURCE = Path(__file__).with_suffix(".c")


class WrongClock:
    """The clock of a service whose program is `serve`."""

    def __init__(self, folder):
        library, self._off = folder / "wrong_clock.so", folder / "wrong_clock"
        subprocess.run([program("cc", "gcc"), "-shared", "-fPIC", "-o", library, SOURCE], check=True)
        self._off.write_bytes(struct.pack("=q", 0))
        self.serve = folder / "phonoscope-serve"
        self.serve.write_text(
            f"#!/bin/sh\nexport LD_PRELOAD={library} WRONG_CLOCK={self._off}\n"
            f'exec {sys.executable} -m phonoscope_serving.cli "$@"\n'
        )
        self.serve.chmod(0o755)

    def set(self, off_s):
        """Has it be so many seconds off, from now on."""
        with self._off.open("r+b") as file:  # the service has it in memory: it must stay the same file
            file.write(struct.pack("=q", off_s))
            os.fsync(file.fileno())

"""Memory that goes back: what is free at once, what runs work in when it has been quiet for a while."""

import subprocess
import sys

import pytest
from phonoscope_serving.engines.embedded import memory
from phonoscope_serving.engines.embedded.memory import QUIET_S, Settling

# Large pieces below one that stays; what is held after they were freed is printed, in units of one of them.
FREED = """
import ctypes, resource, sys
from phonoscope_serving.engines.embedded.memory import keep_large_apart

if sys.argv[1] == "apart":
    keep_large_apart()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
SIZE = 24 * 2**20

def resident_bytes():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

def taken():
    piece = libc.malloc(SIZE)
    ctypes.memset(piece, 1, SIZE)
    return piece

libc.free(taken())  # left alone, the library now keeps pieces of this size in its heap
before = resident_bytes()
pieces, stays = [taken(), taken()], libc.malloc(2**20)
for piece in pieces:
    libc.free(piece)
print((resident_bytes() - before) / SIZE)
"""


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def monotonic(self):
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(memory, "time", clock)
    return clock


@pytest.fixture
def done(monkeypatch):
    done = []
    monkeypatch.setattr(memory, "give_back", lambda: done.append("free"))
    return done


def test_what_is_free_goes_back_after_runs_and_what_they_work_in_once_it_is_quiet(clock, done):
    settling = Settling(lambda: done.append("worked in"))
    settling.settle(is_busy=False)
    assert done == []
    for _ in range(3):
        settling.ran()
    settling.settle(is_busy=False)
    settling.settle(is_busy=False)
    assert done == ["free"]
    clock.now_s += QUIET_S + 1
    settling.settle(is_busy=False)
    settling.settle(is_busy=False)
    assert done == ["free", "worked in", "free"]


def test_what_a_long_run_works_in_stays(clock, done):
    settling = Settling(lambda: done.append("worked in"))
    settling.ran()
    clock.now_s += QUIET_S + 1
    settling.settle(is_busy=True)
    assert done == ["free"]


def test_what_runs_work_in_stays_while_anybody_asks(clock, done):
    settling = Settling(lambda: done.append("worked in"))
    for _ in range(5):
        clock.now_s += QUIET_S - 1
        settling.ran()
        settling.settle(is_busy=False)
    assert done == ["free"] * 5


@pytest.mark.skipif(memory._gnu() is None, reason="this C library is not GNU's")
@pytest.mark.parametrize(("how", "is_held"), [("apart", False), ("left alone", True)])
def test_large_pieces_go_back_as_soon_as_they_are_free(how, is_held):
    told = subprocess.run([sys.executable, "-c", FREED, how], capture_output=True, text=True, check=True, timeout=60)
    assert (float(told.stdout) > 0.5) == is_held

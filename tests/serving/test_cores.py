"""How many cores control groups let a process take, of folders as the kernel has them."""

import math
import os

import pytest
from phonoscope_serving.cores import cores, quota


def put(root, files):
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)


CASES = {
    "no limit": ({"cpu.max": "max 100000\n"}, {"": "/"}, math.inf),
    "a container": ({"cpu.max": "150000 100000\n"}, {"": "/"}, 1.5),
    "a group within a group": ({"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "max 100000\n"}, {"": "/a/b"}, 2.0),
    "seen from inside": ({"cpu.max": "50000 100000\n"}, {"": "/pods/one"}, 0.5),
    "version 1": ({"cpu/a/cpu.cfs_quota_us": "300000", "cpu/a/cpu.cfs_period_us": "100000"}, {"cpu,cpuacct": "/a"}, 3),
    "version 1, no limit": ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, {"cpu": "/"}, math.inf),
    "another controller": ({"cpu/cpu.cfs_quota_us": "1", "cpu/cpu.cfs_period_us": "1"}, {"memory": "/"}, math.inf),
    "nonsense": ({"cpu.max": "much\n"}, {"": "/"}, math.inf),
    "nothing": ({}, {}, math.inf),
}


@pytest.mark.parametrize(("files", "groups", "limit"), CASES.values(), ids=CASES.keys())
def test_attack_threads_follow_the_quota(tmp_path, files, groups, limit):
    put(tmp_path, files)
    assert quota(tmp_path, groups) == limit


def test_there_is_at_least_one_and_no_more_than_there_are():
    assert 1 <= cores() <= len(os.sched_getaffinity(0))

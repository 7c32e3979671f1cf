"""Where training runs, and how well it keeps the machine busy."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import Literal, TypeVar

import torch

from phonoscope_trainer.errors import OptionsError

DeviceName = Literal["auto", "cpu", "cuda"]
LOADERS_BESIDE_A_GPU = 8  # on a CPU that also trains, more than one would only slow the training

T = TypeVar("T")


def chosen_device(name: DeviceName) -> torch.device:
    """The device called `name`; `auto` is a GPU where there is one.

    Raises:
        OptionsError: `cuda` is asked for where PyTorch finds no GPU.
    """
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise OptionsError("device: cuda is asked for, but PyTorch finds no GPU; take auto or cpu")
    if name == "cpu" or not found:
        return torch.device("cpu")
    torch.backends.cudnn.deterministic = True  # a resumed run ends with the same weights
    return torch.device("cuda")


def loaders(device: torch.device) -> int:
    """How many threads draw batches beside a training on `device`."""
    return 1 if device.type == "cpu" else min(LOADERS_BESIDE_A_GPU, os.cpu_count() or 1)


class Utilisation:
    """Shares of the wall clock since the last reading, each between 0 and 1.

    `data_wait_share`: training waited for a batch. `cpu_utilisation`: processor time of this process, all its threads,
    over all cores. `gpu_utilisation`: as the driver reports it, where there is a GPU and `nvidia-ml-py` is installed.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._restart()

    def waiting_for(self, batches: Iterable[T]) -> Iterator[T]:
        """The same batches, with the time spent waiting for each counted."""
        remaining = iter(batches)
        while True:
            began_s = time.perf_counter()
            try:
                batch = next(remaining)
            except StopIteration:
                return
            self._waited_s += time.perf_counter() - began_s
            yield batch

    def read(self) -> dict[str, float]:
        """The shares since the last reading; a new interval begins."""
        elapsed_s = max(time.perf_counter() - self._began_s, 1e-9)
        busy_s = time.process_time() - self._began_process_s
        shares = {
            "data_wait_share": self._waited_s / elapsed_s,
            "cpu_utilisation": busy_s / elapsed_s / (os.cpu_count() or 1),
        }
        if self.device.type == "cuda":
            shares |= _gpu_utilisation(self.device)
        self._restart()
        return shares

    def _restart(self) -> None:
        self._waited_s, self._began_s, self._began_process_s = 0.0, time.perf_counter(), time.process_time()


def _gpu_utilisation(device: torch.device) -> dict[str, float]:
    try:
        return {"gpu_utilisation": torch.cuda.utilization(device) / 100}
    except ModuleNotFoundError:  # nvidia-ml-py is no dependency: most trainings have no GPU
        return {}

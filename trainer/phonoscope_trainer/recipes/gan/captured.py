"""A GAN's iteration as one CUDA graph: hundreds of small kernels, launched together."""

from __future__ import annotations

import torch
from torch import Tensor

from phonoscope_trainer.recipes.gan.learner import Draw, GanLearner

WARM_UP = 3  # iterations that run one kernel at a time, in which libraries choose theirs


class CapturedIteration:
    """What `GanLearner.iterate` does; after a few iterations it is recorded once and replayed from then on."""

    def __init__(self, learner: GanLearner) -> None:
        self.learner, self.iterations = learner, 0
        self.graph, self.stream = torch.cuda.CUDAGraph(), torch.cuda.Stream(learner.device)

    def iterate(self, draw: Draw) -> Tensor:
        """The `TERMS` of one iteration, on the device."""
        self.iterations += 1
        if self.iterations <= WARM_UP:  # on another stream than the default one, which cannot be recorded
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                terms = self.learner.iterate(draw)
            torch.cuda.current_stream().wait_stream(self.stream)
            return terms
        if self.iterations == WARM_UP + 1:
            self.read = Draw(draw.real.clone(), draw.z.clone(), draw.mixing.clone())
            with torch.cuda.graph(self.graph):
                self.terms = self.learner.iterate(self.read)
        for place, value in ((self.read.real, draw.real), (self.read.z, draw.z), (self.read.mixing, draw.mixing)):
            place.copy_(value)
        self.graph.replay()
        return self.terms

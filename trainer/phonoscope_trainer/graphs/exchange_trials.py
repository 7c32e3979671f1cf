"""`exchange`: one row, one thing that is tried on a region in other music, ready for the detector.

    carried     the region's content in a host: music that has the other answer
    silhouette  in the same host, in the same region, content of a third excerpt, which has the other answer as well:
                what the region's outline does by itself
    removed     the region filled from the host at the same place
    shifted     the content of the region half an excerpt later, in the host
    other       the content of another excerpt's region, as large and of the same answer, in the host

Every row draws its host, third excerpt and other region from the bank by its seed and the number of its draw, so that
rows of one draw share their host, and draws of one seed have different ones. All music is brought to the level of the
excerpt.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES
from phonoscope_trainer.graphs.bank import BINS, Bank, unpacked
from phonoscope_trainer.graphs.description import EXCERPT, Graph, TensorSpec, maps
from phonoscope_trainer.graphs.draws import first_state, next_state, number_below
from phonoscope_trainer.graphs.exchange import at_level_of, exchanged
from phonoscope_trainer.networks.standardise import Standardise

TRIALS = ("carried", "silhouette", "removed", "shifted", "other")  # the tensor `trial` counts them
CARRIED, SILHOUETTE, REMOVED, SHIFTED, OTHER = range(len(TRIALS))
SHIFT_FRAMES = EXCERPT_FRAMES // 2
# Of a row: 1 where the answer is that somebody sings, else 0; the trial; the number of the draw; the seed of all draws.
CHOICE = tuple(TensorSpec(name, (1,), "int32") for name in ("vocal", "trial", "draw", "control_seed"))


class ExchangeGraph(nn.Module):
    """Pictures of what is tried; the bank is part of the graph."""

    log_mel: Tensor
    ranks: Tensor

    def __init__(self, bank: Bank, standardise: Standardise) -> None:
        super().__init__()
        self.standardise = standardise
        self.excerpts, self.step = bank.excerpts, bank.step
        self.register_buffer("log_mel", bank.log_mel.flatten(0, 1), persistent=False)
        self.register_buffer("ranks", bank.ranks.flatten(0, 1), persistent=False)

    def forward(
        self, log_mel: Tensor, region: Tensor, vocal: Tensor, trial: Tensor, draw: Tensor, control_seed: Tensor
    ) -> Tensor:
        """`excerpt` `[B, 115, 80]`, standardised: the picture that the detector is to be asked about.

        Args:
            log_mel: `[B, 115, 80]` the excerpt.
            region: `[B, 115, 80]` 1 inside, 0 outside.
            vocal: int32 `[B, 1]`, and so on as in `CHOICE`.
            trial: one of `TRIALS`, by number.
            draw: 0 or more.
            control_seed: 0 or more.
        """
        host, third, other = drawn(control_seed, draw, self.excerpts)
        music = at_level_of(log_mel, self._excerpt(host, 1 - vocal))
        strange = at_level_of(log_mel, self._excerpt(third, 1 - vocal))
        tried = trial.unsqueeze(-1)
        where = torch.where(tried == SHIFTED, region.roll(SHIFT_FRAMES, dims=1), region)
        where = torch.where(tried == OTHER, self._region(other, vocal, region), where)
        content = torch.where(tried == SILHOUETTE, strange, log_mel)
        content = torch.where(tried == REMOVED, music, content)
        around = torch.where(tried == REMOVED, log_mel, music)
        picture: Tensor = self.standardise(exchanged(content, where, around))
        return picture

    def _excerpt(self, number: Tensor, answer: Tensor) -> Tensor:
        """Log-mel `[B, 115, 80]` of excerpts by number and answer, both `[B, 1]`."""
        return unpacked(self.log_mel[self._place(number, answer)], self.step)

    def _region(self, number: Tensor, answer: Tensor, like: Tensor) -> Tensor:
        """The most relevant bins of those excerpts, as many as are in the regions `like` `[B, 115, 80]`."""
        ranks = self.ranks[self._place(number, answer)].to(like.dtype)
        return (ranks >= BINS - like.sum(dim=(1, 2), keepdim=True)).to(like.dtype)

    def _place(self, number: Tensor, answer: Tensor) -> Tensor:
        return (answer * self.excerpts + number).squeeze(1).long()


def drawn(seed: Tensor, draw: Tensor, excerpts: int) -> tuple[Tensor, Tensor, Tensor]:
    """Numbers below `excerpts`, int32 `[B, 1]`: of the host, of a third excerpt, and of one with the answer explained.

    Host and third have the other answer, and are never the same. From one draw to the next all go on by one, so that
    as many draws as there are excerpts have different hosts.
    """
    states = [first_state(seed)]
    for _ in range(3):
        states.append(next_state(states[-1]))
    host = torch.fmod(number_below(states[1], excerpts) + draw, excerpts)
    third = torch.fmod(host + 1 + number_below(states[2], excerpts - 1), excerpts)
    other = torch.fmod(number_below(states[3], excerpts) + draw, excerpts)
    return host, third, other


def exchange_graph(bank: Bank, standardise: Standardise) -> Graph:
    """The description of `exchange`; its parameters tell serving how trials are counted."""
    pictures = (torch.zeros(2, *EXCERPT), torch.zeros(2, *EXCERPT))
    return Graph(
        "exchange",
        ExchangeGraph(bank, standardise),
        (*maps("log_mel", "region"), *CHOICE),
        maps("excerpt"),
        (*pictures, *(torch.zeros(2, 1, dtype=torch.int32) for _ in CHOICE)),
        parameters={"trials": ",".join(TRIALS), "excerpts": str(bank.excerpts)},
    )

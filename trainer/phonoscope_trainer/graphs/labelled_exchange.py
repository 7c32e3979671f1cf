"""`exchange` and `exchange_sound` of a listener with many labels; the trials are those of `exchange_trials`.

Hosts are music that has not the label which is explained, or, where there is a contrast, has that one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.asked_label import ASKED
from phonoscope_trainer.graphs.bank import FULL_SCALE, unpacked
from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.graphs.draws import SIZE, first_state, next_state, number_of
from phonoscope_trainer.graphs.exchange import at_level_of, exchanged, level
from phonoscope_trainer.graphs.exchange_trials import OTHER, REMOVED, SHIFTED, SILHOUETTE, TRIALS
from phonoscope_trainer.graphs.labelled_bank import LEVELS, LabelledBank, Sides
from phonoscope_trainer.graphs.linear_sound import CentredTransform
from phonoscope_trainer.graphs.listener import Listener
from phonoscope_trainer.graphs.transform import Transform

# Of a row: which label is explained, and against which; the trial; the number of the draw; the seed of all draws.
CHOICE = (*ASKED, *(TensorSpec(name, (1,), "int32") for name in ("trial", "draw", "control_seed")))


class LabelledExchange(nn.Module):
    """Pictures of what is tried; the bank is part of the graph.

    Args:
        bank: other music.
        standardise: makes of log-mel what the network is given.
    """

    log_mel: Tensor
    levels: Tensor
    place: Tensor

    def __init__(self, bank: LabelledBank, standardise: nn.Module) -> None:
        super().__init__()
        self.standardise, self.step = standardise, bank.step
        self.sides, self.shift_frames = Sides(bank.has, bank.explained), bank.picture[0] // 2
        bins = bank.log_mel[0].numel()
        self.halvings = (LEVELS * bins).bit_length()
        self.register_buffer("log_mel", bank.log_mel, persistent=False)
        self.register_buffer("levels", bank.levels, persistent=False)
        self.register_buffer("place", torch.arange(bins, dtype=torch.float32).view(bank.picture), persistent=False)

    def forward(
        self,
        log_mel: Tensor,
        region: Tensor,
        label: Tensor,
        contrast: Tensor,
        trial: Tensor,
        draw: Tensor,
        control_seed: Tensor,
    ) -> Tensor:
        """`excerpt` `[B, T, M]`: the picture that the network is to be asked about.

        Args:
            log_mel: `[B, T, M]` the excerpt.
            region: `[B, T, M]` 1 inside, 0 outside.
            label: int32 `[B, 1]`, and so on as in `CHOICE`.
            contrast: −1 for none.
            trial: one of `TRIALS`, by number.
            draw: 0 or more.
            control_seed: 0 or more.
        """
        host, third, other = drawn(self.sides, label, contrast, draw, control_seed)
        music = at_level_of(log_mel, unpacked(self.log_mel[host], self.step))
        strange = at_level_of(log_mel, unpacked(self.log_mel[third], self.step))
        tried = trial.unsqueeze(-1)
        where = torch.where(tried == SHIFTED, region.roll(self.shift_frames, dims=1), region)
        where = torch.where(tried == OTHER, self._region(other, region), where)
        content = torch.where(tried == SILHOUETTE, strange, log_mel)
        content = torch.where(tried == REMOVED, music, content)
        around = torch.where(tried == REMOVED, log_mel, music)
        picture: Tensor = self.standardise(exchanged(content, where, around))
        return picture

    def _region(self, other: Tensor, like: Tensor) -> Tensor:
        """The most relevant bins of some excerpts, as many as are in the regions `like` `[B, T, M]`.

        Bins of one level are told apart by their place; found by bisection, as `mask.smallest_alpha`.
        """
        order = self.levels[other].to(like.dtype) * self.place.numel() + self.place
        wanted = like.sum(dim=(1, 2), keepdim=True)
        low, high = torch.full_like(wanted, -1.0), torch.full_like(wanted, float(LEVELS * self.place.numel()))
        for _ in range(self.halvings):
            middle = torch.floor((low + high) / 2)
            fits = (order >= middle).to(like.dtype).sum(dim=(1, 2), keepdim=True) <= wanted
            high = torch.where(fits, middle, high)
            low = torch.where(fits, low, middle)
        return (order >= high).to(like.dtype)


class LabelledExchangeSound(nn.Module):
    """One excerpt's content, or a third excerpt's, in the sound of a host.

    Args:
        bank: other music.
        transform: `spectrum(samples)` `[B, 2, T, bins]`, and `sound(spectrum)` back.
        spread: `[M, bins]` each bin as a mean of the bands that hear it; None where bands are bins.
    """

    sound: Tensor
    level: Tensor

    def __init__(
        self, bank: LabelledBank, transform: Transform | CentredTransform, spread: Tensor | None = None
    ) -> None:
        super().__init__()
        self.transform, self.spread = transform, spread
        self.sides = Sides(bank.has[bank.sounding], bank.explained[bank.sounding])
        self.register_buffer("sound", bank.sound, persistent=False)
        heard = unpacked(bank.log_mel[torch.from_numpy(bank.sounding)], bank.step)
        self.register_buffer("level", level(heard).flatten(1), persistent=False)

    def forward(
        self,
        samples: Tensor,
        log_mel: Tensor,
        region: Tensor,
        label: Tensor,
        contrast: Tensor,
        trial: Tensor,
        draw: Tensor,
        control_seed: Tensor,
    ) -> Tensor:
        """`audio` `[B, N]` of the excerpt `samples` `[B, N]`, whose `log_mel` says how loud it is.

        The others are as in `LabelledExchange`, but trials other than the first two sound like the first.
        """
        loudness = level(log_mel).flatten(1)
        host, third, _ = drawn(self.sides, label, contrast, draw, control_seed)
        music = self._sound(host, loudness)
        content = torch.where(trial == SILHOUETTE, self._sound(third, loudness), samples)
        inside = region if self.spread is None else region @ self.spread
        carried: Tensor = self.transform.sound(self.transform.spectrum(content - music) * inside.unsqueeze(1))
        return music + carried

    def _sound(self, number: Tensor, loudness: Tensor) -> Tensor:
        """Samples `[B, N]` of the bank's excerpts, as loud as is asked for, `[B, 1]`, a natural logarithm."""
        return self.sound[number].float() * (torch.exp(loudness - self.level[number]) / FULL_SCALE)


def drawn(sides: Sides, label: Tensor, contrast: Tensor, draw: Tensor, seed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Numbers of excerpts, int64 `[B]`: of the host, of a third one that could be a host, and of one with the label.

    As `exchange_trials.drawn`: from one draw to the next all go on by one.
    """
    states = [first_state(seed)]
    for _ in range(3):
        states.append(next_state(states[-1]))
    row, own = sides.host_row(label, contrast), label.squeeze(1).long()
    hosts, others = sides.host_count[row], sides.other_count[own]
    host = torch.fmod(_below(states[1], hosts) + draw, hosts)
    third = torch.fmod(host + 1 + _below(states[2], hosts - 1), hosts)
    other = torch.fmod(_below(states[3], others) + draw, others)
    places = [each.squeeze(1).long() for each in (host, third, other)]
    return sides.hosts[row, places[0]], sides.hosts[row, places[1]], sides.others[own, places[2]]


def _below(state: Tensor, count: Tensor) -> Tensor:
    """As `draws.number_below`, of as many numbers as there are rows."""
    return number_of(state) * count // SIZE


def labelled_exchange_graph(bank: LabelledBank, standardise: nn.Module, listener: Listener) -> Graph:
    """The description of `exchange`; its parameters tell serving how trials are counted."""
    return Graph(
        listener.model("exchange"),
        LabelledExchange(bank, standardise),
        (*listener.maps("log_mel", "region"), *CHOICE),
        listener.maps("excerpt"),
        (*(torch.zeros(2, *listener.picture) for _ in range(2)), *_choices()),
        parameters={"trials": ",".join(TRIALS), "excerpts": str(len(bank.log_mel))},
    )


def labelled_exchange_sound_graph(
    bank: LabelledBank, transform: Transform | CentredTransform, listener: Listener, spread: Tensor | None = None
) -> Graph:
    """The description of `exchange_sound`."""
    return Graph(
        listener.model("exchange_sound"),
        LabelledExchangeSound(bank, transform, spread),
        (listener.sound("samples"), *listener.maps("log_mel", "region"), *CHOICE),
        (listener.sound("audio"),),
        (torch.zeros(2, listener.samples), *(torch.zeros(2, *listener.picture) for _ in range(2)), *_choices()),
    )


def _choices() -> tuple[Tensor, ...]:
    return tuple(torch.zeros(2, 1, dtype=torch.int32) for _ in CHOICE)

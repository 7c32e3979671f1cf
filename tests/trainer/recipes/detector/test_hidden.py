"""Music of which other music hides a part."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.graphs.exchange import at_level_of
from phonoscope_trainer.recipes.detector.hidden import UNHIDDEN, HiddenOptions, hidden_in_part, smooth_regions

SHAPE = (6, 120, 80)
SUNG = torch.tensor([[1.0, 1], [0, 0], [0.5, 1], [torch.nan, 0], [0, 0], [1, 0]])  # rows 1 and 4 are nobody's voice


def rows() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(3).normal(-4, 2, SHAPE).astype(np.float32))


@pytest.mark.parametrize("area", [0.4, 0.75, 1.0])
def test_regions_have_their_area_and_few_outlines(area: float) -> None:
    region = smooth_regions(torch.full((4,), area), 259, 80, np.random.default_rng(0))
    assert region.unique().tolist() in ([0, 1], [1])
    assert region.mean(dim=(1, 2)).tolist() == pytest.approx([area] * 4, abs=1e-3)
    assert float(region.diff(dim=1).abs().mean()) < 0.05  # of independent bins of half the area it would be one half


def test_what_is_hidden_gives_way_to_music_without_a_voice_at_the_same_level() -> None:
    log_mel, options = rows(), HiddenOptions(share=1, left=(0.5, 0.5))
    found = hidden_in_part(log_mel, SUNG, options, np.random.default_rng(1))
    for row, before in zip(found, log_mel, strict=True):
        is_own = torch.isclose(row, before, atol=1e-5)
        others = [at_level_of(before, log_mel[host]) for host in (1, 4)]
        assert 0.4 <= float(is_own.float().mean()) <= 1
        assert any(torch.allclose(row[~is_own], other[~is_own], atol=1e-5) for other in others)


def test_nothing_is_hidden_where_nothing_may_be_or_somebody_sings_everywhere() -> None:
    log_mel = rows()
    for labels, options in ((SUNG, UNHIDDEN), (torch.ones(6, 2), HiddenOptions(share=1))):
        assert torch.equal(hidden_in_part(log_mel, labels, options, np.random.default_rng(1)), log_mel)


@pytest.mark.parametrize("wrong", [{"share": 1.1}, {"left": (0.0, 0.5)}, {"left": (0.6, 0.5)}])
def test_impossible_options_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionsError, match=next(iter(wrong))):
        HiddenOptions(**wrong)  # type: ignore[arg-type]  # what a parser would hand over

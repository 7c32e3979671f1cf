"""Densities against their definition in double precision."""

from __future__ import annotations

import numpy as np
import torch
from phonoscope_trainer.networks.density import Density


def reference(music, features, axes):
    """Both mean square distances, by singular vectors of scaled music and explicit projections."""
    music, features = music.double().numpy(), features.double().numpy()
    centre, scale = music.mean(axis=0), music.std(axis=0, ddof=1)
    z, x = (music - centre) / scale, (features - centre) / scale
    _, singular, rows = np.linalg.svd(z, full_matrices=True)
    variances = np.zeros(z.shape[1])
    variances[: len(singular)] = singular**2 / len(z)
    found = []
    for each in x:
        along = [(each @ row) ** 2 / variance for row, variance in zip(rows[:axes], variances[:axes], strict=True)]
        off = each - sum((each @ row) * row for row in rows[:axes])
        found.append((np.mean(along), np.mean(off**2) * len(off) / (len(off) - axes) / variances[axes:].mean()))
    return np.log(np.array(found) + 1e-6)


def correlated(count, seed):
    noise = torch.Generator().manual_seed(seed)
    mixing = torch.randn(12, 12, generator=torch.Generator().manual_seed(9)) * torch.logspace(0.5, -1, 12)[:, None]
    return torch.randn(count, 12, generator=noise) @ mixing + torch.arange(12.0)


def test_distances_are_those_of_the_definition():
    music, others = correlated(200, 0), 3 * correlated(20, 1)
    density = Density.fitted(music, 4)
    np.testing.assert_allclose(density(others).numpy(), reference(music, others, 4), atol=1e-3)


def test_music_lies_at_a_mean_square_distance_of_one():
    music = correlated(4000, 0)
    along, off = Density.fitted(music, 4)(music).exp().mean(dim=0).tolist()
    assert abs(along - 1) < 0.01
    assert abs(off - 1) < 0.01


def test_what_leaves_the_subspace_is_off_it_and_what_goes_on_along_it_is_not():
    music = correlated(400, 0)
    density = Density.fitted(music, 4)
    centre, far = density.centre[None], 30 * density.scale
    along = density(centre + far * density.axes[:, -1])[0]
    off_axis = torch.linalg.svd(density.axes.T, full_matrices=True).Vh[-1]
    off = density(centre + far * off_axis)[0]
    assert along[0] > 2 > off[0]
    assert off[1] > 2 > along[1]


def test_a_feature_that_never_changes_does_no_harm():
    music = correlated(100, 0)
    music[:, 3] = 7
    assert torch.isfinite(Density.fitted(music, 4)(music)).all()

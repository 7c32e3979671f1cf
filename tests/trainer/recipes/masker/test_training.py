"""The masker: where its decisions lie, what it is trained to make small, and runs that are killed and resumed."""

from __future__ import annotations

import copy
import dataclasses
import math

import numpy as np
import onnxruntime
import pytest
import torch
from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs.exchange import at_level_of
from phonoscope_trainer.graphs.masker import SEEN, masker_graph
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.masker.excerpts import plain, varied
from phonoscope_trainer.recipes.masker.objective import (
    Fillings,
    MovedExcerpts,
    Weights,
    draw_fillings,
    filled,
    hosts,
    objective,
)
from phonoscope_trainer.recipes.masker.training import MaskerLearner, MaskerOptions, load_masker, train_masker
from phonoscope_trainer.repository.models import write_graph
from support.corpora.features import noise_track
from support.learning import assert_learns

STANDARDISE = Standardise(torch.linspace(1, -2, 80), torch.linspace(0.8, 1.4, 80))
LN_FLOOR = math.log(1e-7)
THRESHOLD_LOGIT = -0.3
OPTIONS = MaskerOptions(updates=4, batch=2, validation_excerpts=2, validate_every=2)


@pytest.fixture(scope="module")
def network() -> SVDNet:
    torch.manual_seed(0)
    return SVDNet().eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def sure(network) -> SVDNet:
    """The network with its answers spread around the threshold, so that every excerpt can be a host."""
    with torch.no_grad():
        logits = network(STANDARDISE(excerpts(12).log_mel))[:, 0]
        first = logits[:4].sort().values
    scale = 20 / float(first[2] - first[1])
    return network.rescaled(scale, THRESHOLD_LOGIT - scale * float(first[1:3].mean())).eval()


def excerpts(rows: int, seed: int = 0) -> MovedExcerpts:
    generator = torch.Generator().manual_seed(seed)
    longer = 3 * torch.randn(rows, 116, 80, generator=generator) - 4
    return MovedExcerpts(longer[:, :115], longer[:, 1:])


def draw(step: int) -> MovedExcerpts:
    return excerpts(2, step)


def fillings(rows: int, *, exchanged: bool = True) -> Fillings:
    preference = torch.arange(rows, dtype=torch.float32).expand(rows, rows)  # the last of those that can be
    return Fillings(
        torch.full((rows,), exchanged),
        preference,
        torch.tensor([math.nan, 20.0] * rows)[:rows],
        torch.full((rows,), 7.0),
        torch.zeros(rows),
        torch.full((rows,), math.nan),
        torch.ones(rows, dtype=torch.bool),
    )


def layers(rows: int = 1, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"conv2": (32, 111, 76), "conv5": (64, 33, 21), "fc8": (64,)}
    return {name: torch.randn(rows, *shape, generator=generator) for name, shape in shapes.items()}


@pytest.mark.parametrize(("layer", "step", "first"), [("conv2", 1, 2), ("conv5", 3, 9)])
def test_a_position_of_a_layer_decides_over_the_bins_it_was_computed_from(layer, step, first):
    torch.manual_seed(0)
    masker, known = Masker().eval(), layers()
    torch.nn.init.normal_(masker.detail.weight)  # untrained, Conv2 does not count yet
    last_frame, last_band = (size - 1 for size in known[layer].shape[2:])
    for t, m in ((0, 0), (last_frame // 2, last_band // 2), (last_frame, last_band)):
        maps = known[layer].clone()
        maps[0, :, t, m] += 3
        difference = (masker.logits(**known | {layer: maps}) - masker.logits(**known))[0].abs().detach().numpy()
        frames, bands = np.nonzero(difference > 1e-6)
        for places, at, size in ((frames, t, 115), (bands, m, 80)):
            low, high = places.min(), places.max()
            if low > 0 and high < size - 1:
                assert (low + high) / 2 == pytest.approx(step * at + first, abs=1.5)
            assert low <= step * at + first <= high


def test_a_masker_draws_no_grid_whatever_it_has_learnt():
    torch.manual_seed(0)
    masker, known = Masker().eval(), layers()
    for parameter in masker.parameters():
        parameter.data.normal_()
    alike = {name: maps[:, :, :1, :1].expand(maps.shape) for name, maps in known.items() if name != "fc8"}
    logits = masker.logits(**known | alike)[0]
    inside = logits[20:-20, 20:-20]
    assert inside.std() < 1e-4 * logits.abs().max()


def test_what_is_heard_decides_everywhere():
    torch.manual_seed(0)
    masker, known = Masker().eval(), layers()
    one, other = (masker(**known | {"fc8": features}) for features in torch.randn(2, 1, 64))
    assert torch.all(one != other)


def test_masked_bins_become_the_band_mean_or_are_attenuated_down_to_silence():
    log_mel = excerpts(3).log_mel
    log_mel[2, 0] = LN_FLOOR + 0.1
    found = filled(log_mel, torch.tensor([math.nan, 20.0, 60.0]), STANDARDISE.mean)
    assert torch.all(found[0] == STANDARDISE.mean)
    for row, decibels in ((1, 20), (2, 60)):
        magnitude = np.maximum(np.exp(log_mel[row].double().numpy()) / 10 ** (decibels / 20), 1e-7)
        np.testing.assert_allclose(found[row], np.log(magnitude), atol=1e-4)


def test_hosts_are_clearly_of_the_other_answer_and_chosen_by_preference():
    margin = torch.tensor([2.0, -3.0, 0.5, -0.5, -1.5, 4.0])
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        preference = torch.rand(6, 6, generator=generator)
        host, third, has_host = hosts(margin, preference)
        assert has_host.all()
        for row in range(6):
            can_be = [1, 4] if margin[row] >= 0 else [0, 5]
            wanted = sorted(can_be, key=lambda each: preference[row, each].item(), reverse=True)
            assert [host[row].item(), third[row].item()] == wanted


def test_a_single_host_is_both_and_a_batch_without_one_says_so():
    _, third, has_host = hosts(torch.tensor([2.0, 0.3, -3.0]), torch.rand(3, 3))
    assert third[:2].tolist() == [2, 2]
    assert has_host.all()
    assert not hosts(torch.tensor([2.0, 0.3, -0.3]), torch.rand(3, 3))[2][:2].any()


def by_hand(masker: Masker, network: SVDNet, batch: MovedExcerpts, row: int, other: int, third: int, fills: str):
    """Each term of one row, from the definitions, in float64 NumPy wherever the networks are not asked."""
    with torch.no_grad():
        heard, moved = (network.activations(STANDARDISE(x)) for x in (batch.log_mel, batch.moved))
        logits, logits_of_moved = (
            masker.logits(a["conv2"], a["conv5"], a["fc8"])[row].double().numpy() for a in (heard, moved)
        )
    mask, mask_of_moved = (1 / (1 + np.exp(-4 * each)) for each in (logits, logits_of_moved))
    region = logits >= 0
    mine, host, stranger = (batch.log_mel[each].double().numpy() for each in (row, other, third))

    def as_loud(music: np.ndarray) -> np.ndarray:
        rms, own = (np.sqrt(np.mean(np.exp(each) ** 2)) for each in (music, mine))
        return np.maximum(music + np.log(own / rms), LN_FLOOR)

    def margin(log_mel: np.ndarray) -> float:
        with torch.no_grad():
            answer: float = network(STANDARDISE(torch.from_numpy(log_mel).float()[None])).item()
        return answer - THRESHOLD_LOGIT

    def quieter(music: np.ndarray) -> np.ndarray:
        return np.maximum(music - 7 / 20 * math.log(10), LN_FLOOR)

    def wrong(margin: float) -> float:
        return 2 * (1 - math.sqrt(1 / (1 + math.exp(-margin))))

    mean = np.broadcast_to(STANDARDISE.mean.double().numpy(), mine.shape)
    outside, instead = (as_loud(host), as_loud(host)) if fills == "exchange" else (mean, mean)
    sign = 1 if margin(mine) >= 0 else -1
    return {
        "keep": wrong(sign * margin(np.where(region, mine, outside))),
        "remove": wrong(-sign * margin(np.where(region, instead, mine))),
        "silhouette": wrong(-sign * margin(np.where(region, quieter(as_loud(stranger)), as_loud(host)))),
        "area": (max(0, mask.mean() - 0.12) / 0.1) ** 2,
        "variation": np.abs(np.diff(mask, axis=0)).mean() + np.abs(np.diff(mask, axis=1)).mean(),
        "instability": np.abs(mask_of_moved[:-1] - mask[1:]).mean(),
    }


@pytest.mark.parametrize("fills", ["exchange", "mean"])
def test_each_term_is_what_the_objective_says(sure, fills):
    """Two rows of each answer; by `fillings` the last of the other answer is the host, the one before it the third."""
    torch.manual_seed(0)
    masker, batch = Masker().eval(), excerpts(4)
    with torch.no_grad():
        vocal = (sure(STANDARDISE(batch.log_mel))[:, 0] >= THRESHOLD_LOGIT).tolist()
    drawn = dataclasses.replace(fillings(4, exchanged=fills == "exchange"), outside_db=torch.full((4,), math.nan))
    with torch.no_grad():
        terms = objective(masker, sure, batch, drawn, STANDARDISE, THRESHOLD_LOGIT, Weights())
    expected: dict[str, float] = dict.fromkeys(terms.keys() - {"loss"}, 0.0)
    for row in range(4):
        third, other = [each for each in range(4) if vocal[each] != vocal[row]][-2:]
        for name, value in by_hand(masker, sure, batch, row, other, third, fills).items():
            expected[name] += value / 2 / sum(vocal[each] == vocal[row] for each in range(4))
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value, rel=1e-3, abs=1e-5), name
    weighted = sum(getattr(Weights(), name) * value for name, value in expected.items())
    assert terms["loss"].item() == pytest.approx(weighted, rel=1e-3)


def test_the_accompaniment_of_what_is_sung_shows_the_silhouette_where_it_is_known_and_unsung(sure):
    torch.manual_seed(0)
    masker, batch = Masker().eval(), excerpts(4)
    with torch.no_grad():
        margin = sure(STANDARDISE(batch.log_mel))[:, 0] - THRESHOLD_LOGIT
    vocal, unsung, sung = (int(each) for each in (margin.argmax(), margin.argmin(), margin.argsort()[-2]))

    def silhouette(accompaniment: torch.Tensor | None) -> float:
        with_stems = dataclasses.replace(batch, accompaniment=accompaniment)
        with torch.no_grad():
            terms = objective(masker, sure, with_stems, fillings(4), STANDARDISE, THRESHOLD_LOGIT, Weights())
        return terms["silhouette"].item()

    known = torch.full_like(batch.log_mel, torch.nan)
    assert silhouette(known) == pytest.approx(silhouette(None))
    known[unsung] = batch.log_mel[unsung]
    assert silhouette(known) == pytest.approx(silhouette(None))  # nobody sings in that excerpt anyway
    known[vocal] = batch.log_mel[sung]
    assert silhouette(known) == pytest.approx(silhouette(None))  # somebody sings in the accompaniment
    known[vocal] = batch.log_mel[unsung]
    host = [each for each in range(4) if margin[each] < 0][-1]
    with torch.no_grad():
        heard = sure.activations(STANDARDISE(batch.log_mel))
        region = (masker.logits(heard["conv2"], heard["conv5"], heard["fc8"])[vocal] >= 0).float()
        muted = (
            region * batch.log_mel[unsung] + (1 - region) * at_level_of(batch.log_mel, batch.log_mel[[host] * 4])[vocal]
        )
        answer = sure(STANDARDISE(muted[None]))[0, 0].item() - THRESHOLD_LOGIT
    others = by_hand(masker, sure, batch, vocal, host, [each for each in range(4) if margin[each] < 0][-2], "exchange")
    change = 2 * (1 - math.sqrt(1 / (1 + math.exp(answer)))) - others["silhouette"]
    assert silhouette(known) - silhouette(None) == pytest.approx(change / 2 / int((margin >= 0).sum()), abs=1e-4)


def test_mixtures_stand_beside_their_accompaniments():
    rng = np.random.default_rng(0)
    voice, other = (rng.random((300, FRONTEND.bins)).astype(np.float16) for _ in range(2))
    track = noise_track(300, 0)
    stems = dataclasses.replace(track, magnitudes=np.stack([voice + other, voice, other]))
    drawn = varied([[stems]], Frontend(), 4, 0)(0)
    assert drawn.accompaniment[:, 0, 0].isnan().tolist() == [True, True, False, False]
    louder = drawn.log_mel[2:] - drawn.accompaniment[2:]
    assert louder.min() >= -1e-4
    assert 0.3 < louder.mean() < 1.1  # one and the other, on average twice as much


def test_without_other_music_there_is_no_silhouette(sure):
    masker, batch = Masker().eval(), excerpts(2)
    with torch.no_grad():
        terms = objective(masker, sure, batch, fillings(2), STANDARDISE, -1e3, Weights())  # all are vocal
    assert terms["silhouette"] == 0


def test_where_the_region_is_cut_depends_on_the_gradient_of_a_slope(sure):
    masker, batch = Masker(), excerpts(4)
    objective(masker, sure, batch, fillings(4), STANDARDISE, THRESHOLD_LOGIT, Weights(area=0))["loss"].backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in masker.parameters())


def test_both_classes_weigh_alike_however_many_of_each_there_are(sure):
    masker, pool = Masker().eval(), excerpts(12)
    with torch.no_grad():
        logits = sure(STANDARDISE(pool.log_mel))[:, 0]
        middle = float(logits.median())
        one, other = int(logits.argmin()), int(logits.argmax())
        found = []
        for rows in ([one, other], [one, one, one, other]):
            batch = MovedExcerpts(pool.log_mel[rows], pool.moved[rows])
            found.append(objective(masker, sure, batch, fillings(len(rows)), STANDARDISE, middle, Weights()))
    for name, value in found[0].items():
        assert found[1][name].item() == pytest.approx(value.item(), rel=1e-4), name


def test_a_share_is_exchanged_and_half_get_the_band_mean_and_the_rest_their_own_attenuation():
    drawn = draw_fillings(400, 0, 0.7, (15.0, 60.0), (0.0, 20.0), 0.5, 0.4, (0.1, 0.3))
    assert drawn.is_exchanged.float().mean().item() == pytest.approx(0.7, abs=0.1)
    assert drawn.preference.shape == (400, 400)
    attenuated = drawn.outside_db[~drawn.outside_db.isnan()]
    assert 150 < len(attenuated) < 250
    assert 15 <= attenuated.min() < 20
    assert 55 < attenuated.max() <= 60
    assert drawn.third_db.min() < 2
    assert 18 < drawn.third_db.max() <= 20
    assert drawn.offset.std().item() == pytest.approx(0.5, abs=0.1)
    sizes = drawn.area[~drawn.area.isnan()]
    assert len(sizes) / 400 == pytest.approx(0.4, abs=0.1)
    assert 0.1 <= sizes.min() < 0.12
    assert 0.28 < sizes.max() <= 0.3


def test_a_region_of_a_drawn_size_does_not_hang_on_where_the_mask_is_cut(sure):
    batch, drawn = excerpts(4), fillings(4)
    torch.manual_seed(0)
    masker = Masker()
    torch.nn.init.normal_(masker.decide.weight)

    def keeps(area: float) -> float:
        asked = dataclasses.replace(drawn, area=torch.full((4,), area))
        with torch.no_grad():
            return float(objective(masker, sure, batch, asked, STANDARDISE, THRESHOLD_LOGIT, Weights())["keep"])

    before = keeps(0.2), keeps(math.nan)
    torch.nn.init.constant_(masker.decide.bias, 100.0)  # the mask would have everything
    assert keeps(0.2) == pytest.approx(before[0], abs=1e-4)
    assert keeps(math.nan) != pytest.approx(before[1], abs=1e-4)


def test_an_excerpt_stands_beside_itself_one_frame_later_at_another_level():
    for drawn in (
        varied([[noise_track(400, 0)]], Frontend(), 3, 0)(0),
        *plain([[noise_track(400, 1)]], Frontend(), 3, 4, 0),
    ):
        assert drawn.log_mel.shape == drawn.moved.shape == (3, 115, 80)
        difference_db = (drawn.moved[:, :-1] - drawn.log_mel[:, 1:]) * 20 / math.log(10)
        for row in difference_db:
            assert row.std() < 1e-3
            assert row.mean().abs() <= 3


def test_validation_draws_whole_batches_that_differ():
    drawn = plain([[noise_track(900, 1)]], Frontend(), 3, 4, 0)
    assert len(drawn) == 2
    assert not torch.equal(drawn[0].log_mel, drawn[1].log_mel)


def test_learning_makes_the_objective_smaller(network):
    options = dataclasses.replace(OPTIONS, bfloat16=False)
    detector, standardise = copy.deepcopy(network).double(), copy.deepcopy(STANDARDISE).double()
    learner, one = MaskerLearner(detector, standardise, options), draw(0)
    learner.masker.double()
    batch = MovedExcerpts(one.log_mel.double(), one.moved.double())
    asked = (options.exchange_share, options.outside_db, options.third_db, options.offset)
    sized = (options.sized_share, options.sizes)
    drawn = draw_fillings(len(batch.log_mel), options.seed, *asked, *sized)

    def loss() -> torch.Tensor:
        return objective(learner.masker, detector, batch, drawn, standardise, options.threshold_logit, Weights())[
            "loss"
        ]

    assert_learns(learner.masker, loss, lambda: learner.update(batch, 0))


def test_a_killed_run_ends_with_the_masker_of_one_that_was_not(network, tmp_path):
    def killed(step: int) -> MovedExcerpts:
        if step == 3:
            raise KeyboardInterrupt
        return draw(step)

    whole = train_masker(tmp_path / "whole", draw, [draw(9)], network, STANDARDISE, OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        train_masker(tmp_path / "killed", killed, [draw(9)], network, STANDARDISE, OPTIONS)
    resumed = train_masker(tmp_path / "killed", draw, [draw(9)], network, STANDARDISE, OPTIONS)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    other_options = dataclasses.replace(OPTIONS, batch=3)
    with pytest.raises(CheckpointError, match="batch"):
        train_masker(tmp_path / "killed", draw, [draw(9)], network, STANDARDISE, other_options)


def test_the_masker_that_is_kept_is_the_best_on_validation(network, tmp_path):
    learner = MaskerLearner(network, STANDARDISE, OPTIONS)
    best = learner.validate([draw(9)])["loss"]
    kept = {name: value.clone() for name, value in learner.masker.state_dict().items()}
    for parameter in learner.masker.parameters():
        parameter.data += 5
    assert learner.validate([draw(9)])["loss"] > best
    for name, value in learner.state()["best"].items():
        assert torch.equal(value, kept[name])


def test_another_cycle_goes_on_from_the_best_masker_of_a_run(network, tmp_path):
    first = train_masker(tmp_path / "first", draw, [draw(9)], network, STANDARDISE, OPTIONS)
    options = dataclasses.replace(OPTIONS, start=str(tmp_path / "first"))
    learner = MaskerLearner(network, STANDARDISE, options)
    for one, other in zip(first.parameters(), learner.masker.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_exported_graph_agrees_for_any_number_of_excerpts(network, tmp_path):
    torch.manual_seed(0)
    masker = Masker().eval()
    write_graph(masker_graph(masker, network), tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "masker" / "1" / "model.onnx", providers=["CPUExecutionProvider"])
    for rows in (1, 3):
        with torch.no_grad():
            activations = network.activations(torch.randn(rows, 115, 80))
            expected = masker(*(activations[name] for name in SEEN))
        (found,) = session.run(None, {name: activations[name].numpy() for name in SEEN})
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("updates", 0),
        ("batch", 1),
        ("exchange_share", 1.5),
        ("learning_rate", 0.0),
        ("threshold", 1.0),
        ("outside_db", (5.0, 1.0)),
    ],
)
def test_an_option_outside_its_range_is_named(field, value):
    with pytest.raises(OptionsError, match=field):
        MaskerOptions(**{field: value})


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="is missing"):
        load_masker(tmp_path / "nothing")

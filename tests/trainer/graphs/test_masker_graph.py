"""The masker as it is exported, against the network; and read again from the graph."""

import onnxruntime as ort
import torch
from phonoscope_trainer.graphs.masker import SEEN, cheaply_decided, masker_graph
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.repository.models import write_graph
from phonoscope_trainer.repository.shipped_graphs import masker_of


def trained():
    torch.manual_seed(0)
    masker = Masker().eval()
    torch.nn.init.normal_(masker.detail.weight)
    return masker


def seen(rows):
    noise = torch.Generator().manual_seed(1)
    return [torch.randn(rows, *shape, generator=noise) for shape in ((32, 111, 76), (64, 33, 21), (64,))]


@torch.inference_mode()
def test_a_masker_that_decides_cheaply_decides_the_same():
    masker = trained()
    torch.testing.assert_close(cheaply_decided(masker)(*seen(3)), masker(*seen(3)), atol=1e-5, rtol=0)


def test_writing_a_masker_cheaply_leaves_the_network_as_it_was():
    masker = trained()
    cheaply_decided(masker)
    assert isinstance(masker.decide, torch.nn.Conv2d)


@torch.inference_mode()
def test_an_exported_masker_is_read_again_to_the_bit(tmp_path):
    masker = trained()
    write_graph(masker_graph(masker, SVDNet().eval()), tmp_path)
    again = masker_of(tmp_path)
    for name, tensor in masker.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    session = ort.InferenceSession(tmp_path / "masker" / "1" / "model.onnx", providers=["CPUExecutionProvider"])
    inputs = seen(3)
    named = zip(SEEN, (each.numpy() for each in inputs), strict=True)
    (relevance,) = session.run(None, dict(named))
    torch.testing.assert_close(torch.from_numpy(relevance), masker(*inputs), atol=1e-5, rtol=0)

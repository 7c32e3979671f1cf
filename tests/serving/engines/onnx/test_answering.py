"""Networks that are asked for their answer alone."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from phonoscope_serving.engines.onnx.answering import ANSWER, answer_alone, shows_layers
from support.corpora.sound import music


@pytest.fixture(scope="module")
def excerpts(bare):
    samples = np.stack([music(36934 / 22050, seed=row) for row in range(3)])
    return {"excerpt": bare.run("frontend", {"samples": samples}, ["standardised"])["standardised"]}


def test_the_answer_alone_is_the_one_beside_the_layers(bare, excerpts):
    alone = bare.run("detector", excerpts, [ANSWER])
    beside = bare.run("detector", excerpts, ["conv2", ANSWER])
    np.testing.assert_allclose(alone[ANSWER], beside[ANSWER], rtol=0, atol=1e-6)


def test_nothing_but_outputs_is_taken_from_a_graph(bundle):
    whole, alone = (onnx.load_from_string(graph) for graph in (bundle.graph("detector"), _alone(bundle)))
    assert [output.name for output in alone.graph.output] == [ANSWER]
    del whole.graph.output[:], alone.graph.output[:]
    assert alone == whole


def test_a_network_that_answers_alone_is_without_what_only_its_layers_need(bundle, tmp_path):
    kept = {}
    for name, graph in (("whole", bundle.graph("detector")), ("alone", _alone(bundle))):
        options = ort.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / name)
        options.log_severity_level = 3  # that such a file suits this processor alone
        ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        kept[name] = onnx.load(tmp_path / name).graph.node
    assert len(kept["alone"]) < len(kept["whole"])


def test_networks_that_show_layers_are_told_by_their_configuration(bundle):
    assert {name for name, config in bundle.models.items() if shows_layers(config)} == {"detector", "tagger"}


def _alone(bundle):
    return answer_alone(bundle.graph("detector"))

import pytest
from google.protobuf import text_format
from phonoscope_serving.engines.ensemble import load_order, plan
from phonoscope_serving.errors import BundleError
from tritonclient.grpc import model_config_pb2

DOUBLE = "input { name: 'x' data_type: TYPE_FP32 dims: [-1] } output { name: 'y' data_type: TYPE_FP32 dims: [-1] }"
SUM = """
    input { name: 'a' data_type: TYPE_FP32 dims: [4] } input { name: 'b' data_type: TYPE_FP32 dims: [4] }
    output { name: 'sum' data_type: TYPE_FP32 dims: [4] } output { name: 'count' data_type: TYPE_INT32 dims: [1] }"""
IO = "input { name: 'in' data_type: TYPE_FP32 dims: [4] } output { name: 'out' data_type: TYPE_FP32 dims: [4] }"


def config(name, text, batch=8):
    parsed = text_format.Parse(text, model_config_pb2.ModelConfig())
    parsed.name, parsed.max_batch_size = name, batch
    return parsed


def step(model, inputs, outputs):
    maps = [f"input_map {{ key: '{k}' value: '{v}' }}" for k, v in inputs.items()]
    maps += [f"output_map {{ key: '{k}' value: '{v}' }}" for k, v in outputs.items()]
    return f"step {{ model_name: '{model}' {' '.join(maps)} }}"


def ensemble(*steps, io=IO, name="whole", batch=8):
    return config(name, f"platform: 'ensemble' {io} ensemble_scheduling {{ {' '.join(steps)} }}", batch)


def planned(*steps, **options):
    whole = ensemble(*steps, **options)
    models = {"double": config("double", DOUBLE), "sum": config("sum", SUM), "whole": whole}
    return plan(whole, models)


def test_steps_are_ordered_by_what_they_need_whatever_order_they_are_listed_in():
    ordered = planned(
        step("sum", {"a": "once", "b": "twice"}, {"sum": "out"}),
        step("double", {"x": "once"}, {"y": "twice"}),
        step("double", {"x": "in"}, {"y": "once"}),
    )
    assert [tuple(s.outputs.values()) for s in ordered.steps] == [("once",), ("twice",), ("out",)]


def test_a_tensor_may_be_used_by_two_steps_and_twice_by_one():
    ordered = planned(
        step("double", {"x": "in"}, {"y": "once"}), step("sum", {"a": "once", "b": "once"}, {"sum": "out"})
    )
    assert [s.model for s in ordered.steps] == ["double", "sum"]


def test_steps_that_ask_one_model_the_same_and_need_nothing_of_each_other_take_one_turn():
    whole = planned(
        step("double", {"x": "in"}, {"y": "a"}),
        step("double", {"x": "in"}, {"y": "b"}),
        step("sum", {"a": "a", "b": "b"}, {"sum": "c"}),
        step("double", {"x": "c"}, {"y": "d"}),
        step("sum", {"a": "in", "b": "in"}, {"sum": "e"}),
        step("sum", {"a": "in", "b": "in"}, {"sum": "f", "count": "g"}),
        step("sum", {"a": "d", "b": "e"}, {"sum": "out"}),
        step("double", {"x": "f"}, {"y": "h"}),
        io=IO
        + "output { name: 'h' data_type: TYPE_FP32 dims: [4] } output { name: 'g' data_type: TYPE_INT32 dims: [1] }",
    )
    turns = [{tensor for each in turn for tensor in each.outputs.values()} for turn in whole.turns]
    assert {"a", "b"} in turns
    assert {"e"} in turns or {"c", "e"} in turns
    assert not any({"c", "out"} <= turn or {"a", "d"} <= turn or {"e", "f"} <= turn for turn in turns)
    made = {"in"}
    for turn in whole.turns:
        assert all(tensor in made for each in turn for tensor in each.inputs.values())
        made |= {tensor for each in turn for tensor in each.outputs.values()}
    assert sum(len(turn) for turn in whole.turns) == len(whole.steps)


def test_an_input_may_be_an_output_as_well():
    io = IO + "output { name: 'in' data_type: TYPE_FP32 dims: [4] }"
    assert planned(step("double", {"x": "in"}, {"y": "out"}), io=io).outputs == ("out", "in")


def test_outputs_nobody_maps_are_not_computed():
    (only,) = planned(step("sum", {"a": "in", "b": "in"}, {"sum": "out"})).steps
    assert tuple(only.outputs) == ("sum",)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "has no steps"),
        ([step("triple", {"x": "in"}, {"y": "out"})], "there is no model triple"),
        ([step("double", {"z": "in"}, {"y": "out"})], "names no such input: z"),
        ([step("double", {"x": "in"}, {"z": "out"})], "names no such output: z"),
        ([step("sum", {"a": "in"}, {"sum": "out"})], "leaves open: b"),
        ([step("double", {"x": "in"}, {})], "output_map is empty"),
        ([step("double", {"x": "nowhere"}, {"y": "out"})], "used but never made: nowhere"),
        ([step("double", {"x": "in"}, {"y": "elsewhere"})], "outputs that are never made: out"),
        ([step("double", {"x": "in"}, {"y": "in"})], "tensor in is made twice"),
        (
            [step("double", {"x": "in"}, {"y": "out"}), step("double", {"x": "in"}, {"y": "out"})],
            "tensor out is made twice",
        ),
        (
            [
                step("sum", {"a": "in", "b": "left"}, {"sum": "right"}),
                step("double", {"x": "right"}, {"y": "left"}),
                step("double", {"x": "right"}, {"y": "out"}),
            ],
            "steps wait for each other: (sum → double → sum|double → sum → double)",
        ),
        (
            [step("sum", {"a": "in", "b": "in"}, {"count": "n"}), step("double", {"x": "n"}, {"y": "out"})],
            "tensor n does not fit input x",
        ),
        ([step("sum", {"a": "in", "b": "in"}, {"count": "out"})], "output out is type"),
    ],
)
def test_a_plan_that_cannot_work_is_refused_and_the_fault_named(steps, message):
    with pytest.raises(BundleError, match=message):
        planned(*steps)


def test_an_input_that_is_never_used_is_refused():
    io = IO + "input { name: 'idle' data_type: TYPE_FP32 dims: [4] }"
    with pytest.raises(BundleError, match="inputs that are never used: idle"):
        planned(step("double", {"x": "in"}, {"y": "out"}), io=io)


def test_shapes_must_agree_where_both_are_fixed():
    io = IO.replace("dims: [4]", "dims: [5]")
    with pytest.raises(BundleError, match=r"tensor in does not fit input a .*\[-1, 5\] for .*\[-1, 4\]"):
        planned(step("sum", {"a": "in", "b": "in"}, {"sum": "out"}), io=io)


def test_a_batched_model_does_not_fit_an_ensemble_that_is_not():
    with pytest.raises(BundleError, match="does not fit"):
        planned(step("sum", {"a": "in", "b": "in"}, {"sum": "out"}), batch=0)


def test_an_ensemble_takes_no_larger_batches_than_its_steps():
    with pytest.raises(BundleError, match="max_batch_size is 9, but the step takes at most 8"):
        planned(step("double", {"x": "in"}, {"y": "out"}), batch=9)


def test_models_are_loaded_before_the_ensembles_that_are_made_of_them():
    inner = ensemble(step("double", {"x": "in"}, {"y": "out"}), name="inner")
    outer = ensemble(step("inner", {"in": "in"}, {"out": "out"}), name="outer")
    order = load_order({"outer": outer, "inner": inner, "double": config("double", DOUBLE)})
    assert order == ("double", "inner", "outer")


def test_ensembles_that_contain_each_other_are_refused():
    left = ensemble(step("right", {"in": "in"}, {"out": "out"}), name="left")
    right = ensemble(step("left", {"in": "in"}, {"out": "out"}), name="right")
    with pytest.raises(BundleError, match="ensembles contain each other"):
        load_order({"left": left, "right": right})


def test_every_ensemble_of_the_shipped_repository_has_a_plan(bundle):
    for name in (*(rule.ensemble for rule in bundle.default.rules), "masked", "heard", "predict", "invert_layers"):
        assert plan(bundle.models[name], bundle.models).steps


TREE = (
    step("double", {"x": "in"}, {"y": "once"}),
    step("sum", {"a": "once", "b": "in"}, {"sum": "left", "count": "number"}),
    step("double", {"x": "once"}, {"y": "right"}),
)
TREE_IO = IO.replace("'out'", "'left'") + " ".join(
    f"output {{ name: '{name}' data_type: {kind} dims: [{size}] }}"
    for name, kind, size in (("right", "TYPE_FP32", 4), ("number", "TYPE_INT32", 1), ("in", "TYPE_FP32", 4))
)


@pytest.mark.parametrize(
    ("outputs", "made"),
    [
        (("right",), [{"y": "once"}, {"y": "right"}]),
        (("left",), [{"y": "once"}, {"sum": "left"}]),
        (("number",), [{"y": "once"}, {"count": "number"}]),
        (("right", "left"), [{"y": "once"}, {"sum": "left"}, {"y": "right"}]),
        (("in",), []),
    ],
    ids=lambda outputs: "+".join(map(str, outputs)) if isinstance(outputs, tuple) else "",
)
def test_only_the_steps_and_outputs_that_something_wanted_needs_are_left(outputs, made):
    pruned = planned(*TREE, io=TREE_IO).of(outputs)
    assert [dict(s.outputs) for s in pruned.steps] == made
    assert pruned.outputs == outputs


@pytest.mark.parametrize(
    ("outputs", "asked"),
    [
        (("inverted_fc8",), {"inverted_fc8", "standardised"}),
        (("log_mel", "standardised", "probability"), {"log_mel", "standardised", "probability"}),
        (("log_mel",), None),  # the step that uses `standardised` is not left
    ],
    ids=["one layer", "three outputs", "what no step that is left uses"],
)
def test_a_triton_server_is_asked_for_outputs_that_steps_use_too_or_for_everything(bundle, outputs, asked):
    whole = plan(bundle.models["invert_layers"], bundle.models)
    assert set(whole.asked_of_triton(outputs)) == (asked or set(whole.outputs))


def test_all_of_an_ensembles_outputs_need_all_of_its_plan(bundle):
    whole = plan(bundle.models["explain_masker"], bundle.models)
    assert whole.of(whole.outputs) == whole


def test_one_layer_of_the_shipped_repository_is_inverted_by_its_own_inverter_alone(bundle):
    whole = plan(bundle.models["invert_layers"], bundle.models)
    pruned = whole.of(("log_mel", "inverted_conv5", "reconstruction_error_conv5"))
    assert [s.model for s in pruned.steps] == ["frontend", "detector", "inverter_conv5"]
    assert list(pruned.steps[1].outputs) == ["conv5"]

"""`Client.maximise` and `phonoscope maximise`, against a service whose stream the test writes."""

import json
import threading

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from phonoscope.v1 import maximisation_pb2, time_frequency_pb2
from phonoscope_client import Client, InvalidInputError, Maximisation, MaximisationProgress, ResponseTerm, ServiceError
from phonoscope_client.cli import get_parser, main
from phonoscope_client.commands.maximise import MaximisationOptions, maximisation_options
from support.ids import brief
from support.services.client_results import maximisation
from support.services.written_answers import abort, serving

LOG_MEL = np.linspace(-9, 0, 115 * 80, dtype="<f4").reshape(115, 80)
SOUND = {"samples": np.full(100, 0.5, "<f4").tobytes(), "sample_rate_hz": 22050}


def picture(values):
    return time_frequency_pb2.TimeFrequencyMap(frames=115, bands=80, values=values.tobytes())


def stream(request, context=None):
    """Settings, two progress events, and as many examples as were asked for."""
    count = request.examples
    settings = maximisation_pb2.MaximisationSettings(
        bundle={"name": "noise-1", "digest": "ab" * 32},
        axes={"frames_per_second": 70, "band_centre_hz": np.linspace(50, 7900, 80)},
        steps=20,
        learning_rate=0.01,
        prior_weight=0.1,
        examples=count,
        threshold=0.5,
    )
    yield maximisation_pb2.MaximiseResponse(settings=settings)
    for step in (9, 20):
        yield maximisation_pb2.MaximiseResponse(
            progress={"step": [step] * count, "response": [step / 10] * count, "prior": [-60.0] * count}
        )
    for index in range(count):
        example = maximisation_pb2.MaximisationExample(
            index=index,
            initial_response=-1,
            response=2 + index,
            initial_prior=-60,
            prior=-61,
            initial_probability=0.25,
            probability=0.75,
            initial_log_mel=picture(LOG_MEL - 1),
            log_mel=picture(LOG_MEL),
            initial_audio=SOUND if request.listen else None,
            audio=SOUND if request.listen else None,
        )
        yield maximisation_pb2.MaximiseResponse(example=example)


def test_progress_is_reported_and_everything_that_was_found_is_returned():
    progress = []
    with serving(stream) as address, Client(address) as client:
        found = client.maximise(examples=3, on_progress=progress.append)
    assert [type(each) for each in progress] == [MaximisationProgress] * 2
    assert progress[1] == MaximisationProgress((20,) * 3, (2.0,) * 3, (-60.0,) * 3)
    assert isinstance(found, Maximisation)
    assert (found.response, found.direction, found.steps, found.learning_rate) == ("output", "maximise", 20, 0.01)
    assert [each.response for each in found.examples.values()] == [2, 3, 4]
    np.testing.assert_array_equal(found.examples["2"].log_mel, LOG_MEL)
    assert list(found.sounds) == [f"example-{n}{start}" for n in (1, 2, 3) for start in ("", "-start")]


def test_what_is_asked_reaches_the_service():
    asked = []

    def answer(request, context):
        asked.append(request)
        return stream(request)

    terms = [ResponseTerm("conv5", 3, 0.5), ResponseTerm("conv5")]
    with serving(answer) as address, Client(address) as client:
        found = client.maximise(
            terms, position=(16, 10), direction="minimise", examples=2, seed=7, steps=0, prior_weight=0.0, listen=False
        )
    (request,) = asked
    assert [(t.layer, t.HasField("channel"), t.channel, t.weight) for t in request.terms] == [
        ("conv5", True, 3, 0.5),
        ("conv5", False, 0, 1.0),
    ]
    assert (request.position.frame, request.position.band) == (16, 10)
    assert (request.direction, request.examples, request.seed) == (maximisation_pb2.DIRECTION_MINIMISE, 2, 7)
    assert request.HasField("steps")  # zero steps are a choice, not a gap
    assert request.HasField("prior_weight")
    assert not request.HasField("learning_rate")
    assert found.response == "0.5 · conv5[3] + conv5 at frame 16, band 10"
    assert found.sounds == {}


class Endless:
    """An answer that reports progress and then goes on until its caller leaves."""

    def __init__(self):
        self.stopped = threading.Event()

    def __call__(self, request, context):
        context.add_callback(self.stopped.set)
        yield from list(stream(request))[:2]
        self.stopped.wait(600)


class EnoughError(Exception):
    """What a caller raises who has seen enough."""


def test_what_the_callback_raises_ends_the_call_and_has_the_service_stop():
    endless = Endless()

    def on_progress(_):
        raise EnoughError

    with serving(endless) as address, Client(address) as client:
        with pytest.raises(EnoughError):
            client.maximise(on_progress=on_progress)
        assert endless.stopped.wait(600)


def test_closing_the_client_from_another_thread_cancels():
    endless, reported = Endless(), threading.Event()
    with serving(endless) as address, Client(address) as client:
        closing = threading.Thread(target=lambda: reported.wait(600) and client.close())
        closing.start()
        with pytest.raises(ServiceError, match="client was closed"):
            client.maximise(on_progress=lambda _: reported.set())
        closing.join()
        assert endless.stopped.wait(600)


def test_a_refusal_names_its_field():
    violation = error_details_pb2.BadRequest.FieldViolation(field="terms[0].layer", description="is 'fc9'")

    def answer(request, context):
        abort(
            context,
            grpc.StatusCode.INVALID_ARGUMENT,
            "terms[0].layer: is 'fc9'",
            error_details_pb2.BadRequest(field_violations=[violation]),
        )

    with serving(answer) as address, Client(address) as client, pytest.raises(InvalidInputError) as caught:
        client.maximise([ResponseTerm("fc9")])
    assert [each.field for each in caught.value.violations] == ["terms[0].layer"]


def test_a_stream_that_ends_too_early_is_a_defect_of_the_service():
    def answer(request, context):
        yield from list(stream(request))[:-1]

    with serving(answer) as address, Client(address) as client, pytest.raises(ServiceError, match="after 3 examples"):
        client.maximise(examples=4)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"direction": "up"}, "direction"),
        ({"examples": 0}, "examples"),
        ({"seed": -1}, "seed"),
        ({"steps": -1}, "steps"),
        ({"position": (-1, 0)}, r"position\[0\]"),
        ({"terms": [ResponseTerm("fc8", -2)]}, r"terms\[0\].channel"),
    ],
    ids=brief,
)
def test_what_no_service_can_answer_is_refused_before_one_is_asked(arguments, field):
    with Client("127.0.0.1:1") as client, pytest.raises(InvalidInputError, match=field):
        client.maximise(**arguments)


def test_a_maximisation_is_saved_and_read_exactly(tmp_path):
    made = maximisation()
    made.save(tmp_path / "made.npz")
    read = Maximisation.load(tmp_path / "made.npz")
    assert read.to_json() == made.to_json()
    np.testing.assert_array_equal(read.examples["2"].log_mel, made.examples["2"].log_mel)
    np.testing.assert_array_equal(read.examples["1"].audio.samples, made.examples["1"].audio.samples)


def test_the_command_writes_a_sheet_sounds_and_one_json_document(tmp_path, capsys):
    out = tmp_path / "wanted"
    with serving(stream) as address:
        arguments = ["maximise", "--layer", "output", "--sign", "max", "--examples", "4", "--json", "--server", address]
        assert main([*arguments, "--out", str(out)]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert len(document["examples"]) == 4
    assert all(example["response"] > example["initial_response"] for example in document["examples"])
    assert json.loads((out / "summary.json").read_text()) == document
    assert {path.name for path in out.iterdir()} >= {
        "maximised.html",
        "maximised.npz",
        "example-4.wav",
        "example-1-start.wav",
    }
    assert "step 20: response 2.000 on average" in printed.err


def test_the_command_without_a_folder_asks_for_no_sound_and_prints_a_summary(capsys):
    with serving(stream) as address:
        assert main(["maximise", "--layer=-0.5*fc7:12", "--layer", "fc8", "--quiet", "--server", address]) == 0
    printed = capsys.readouterr()
    assert "maximise -0.5 · fc7[12] + fc8: 20 steps of 0.01, weight of the prior 0.1" in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], MaximisationOptions()),
        (["--layer", "output", "--sign", "min"], MaximisationOptions((ResponseTerm("logit"),), direction="minimise")),
        (["--layer", "conv5:3", "--at", "16,10"], MaximisationOptions((ResponseTerm("conv5", 3),), (16, 10))),
        (["--layer", "conv5:3@16x10"], MaximisationOptions((ResponseTerm("conv5", 3),), (16, 10))),
        (
            ["--layer", "fc8,fc7", "--layer", "mp6"],
            MaximisationOptions(tuple(map(ResponseTerm, ("fc8", "fc7", "mp6")))),
        ),
        (
            ["--steps", "5", "--seed", "9", "--prior-weight", "0"],
            MaximisationOptions(steps=5, seed=9, prior_weight=0.0),
        ),
    ],
    ids=brief,
)
def test_the_command_line_becomes_what_the_client_is_asked(arguments, expected):
    assert maximisation_options(get_parser().parse_args(["maximise", *arguments])) == expected


def test_two_places_are_refused_before_a_service_is_started(capsys):
    assert main(["maximise", "--layer", "conv5:3@16x10", "--at", "1x2"]) == 1
    assert capsys.readouterr().err == "phonoscope: position: 1x2 and 16x10; give one for all terms\n"


def test_the_commands_help_teaches_the_grammar_of_a_response(capsys):
    with pytest.raises(SystemExit):
        get_parser().parse_args(["maximise", "--help"])
    assert "LAYER[:CHANNEL][@FRAMExBAND][*WEIGHT]" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["FC7", "fc7:x", "1.2.3*fc7", "fc7:1:2", ""])
def test_what_is_no_unit_is_a_usage_error(text, capsys):
    with pytest.raises(SystemExit):
        get_parser().parse_args(["maximise", "--layer", text])
    assert "is no unit; write output, fc7" in capsys.readouterr().err

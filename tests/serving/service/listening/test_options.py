"""Options that cannot work are told apart on the command line, in words, before anything is loaded."""

import json

import pytest
from phonoscope_serving.command_line import get_parser
from phonoscope_serving.engine_options import MOST_THREADS
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.service.listening import ready_file
from phonoscope_serving.service.listening.addresses import host_and_port

WRONG = {
    "no port": (["--address", "127.0.0.1"], "'127.0.0.1' is not HOST:PORT"),
    "no host": (["--address", ":50051"], "':50051' is not HOST:PORT"),
    "neither": (["--address", ":99999"], "':99999' is not HOST:PORT"),
    "a large port": (["--address", "[::]:99999"], "has port 99999; it must be 0 to 65535"),
    "a negative port": (["--metrics-address", "127.0.0.1:-1"], "is not HOST:PORT"),
    "a port of another script": (["--health-address", "127.0.0.1:٣"], "is not HOST:PORT"),
    "metrics at a path": (["--metrics-address", "unix:/run/metrics"], "is not HOST:PORT"),
    "a large port of Triton": (["--triton", "localhost:70000"], "has port 70000; it must be 0 to 65535"),
    "many threads": (["--threads", "100000"], f"100000 is above {MOST_THREADS}"),
    "no number": (["--threads", "many"], "many"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG.keys())
def test_attack_options_that_cannot_work_end_with_2_and_say_why(options, message, capsys):
    with pytest.raises(SystemExit) as ended:
        get_parser().parse_args(options)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert message in told
    assert options[0] in told


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:50051", "music.example.com:443", "unix:/run/phonoscope"])
def test_addresses_that_can_be_are_taken(address):
    assert get_parser().parse_args(["--address", address]).address == address


def test_an_address_has_two_halves():
    assert host_and_port("[::1]:50051") == ("::1", 50051)


def test_a_ready_file_is_written_in_one_go_and_an_earlier_one_taken_away(tmp_path):
    path = tmp_path / "ready.json"
    path.write_text("of an earlier run")
    ready_file.clear(path)
    assert list(tmp_path.iterdir()) == []
    ready_file.write(path, {"address": "here"})
    assert json.loads(path.read_text()) == {"address": "here"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", ["missing/ready.json", "file/ready.json", ".", "folder", "a\0b"])
def test_attack_a_ready_file_that_cannot_be_is_an_error_in_words(tmp_path, path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OptionsError, match=r"ready file: .* cannot be written: "):
        ready_file.clear(tmp_path / path)

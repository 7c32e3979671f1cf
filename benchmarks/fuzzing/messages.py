"""Requests no client would send: fields at random or impossible values, and bytes that are no message at all."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from phonoscope.v1 import explainer_service_pb2

from fuzzing.damage import damaged
from fuzzing.formats import sound
from fuzzing.inputs import SECONDS, Damaged

SERVICE = explainer_service_pb2.DESCRIPTOR.services_by_name["ExplainerService"]
METHODS: tuple[MethodDescriptor, ...] = tuple(SERVICE.methods)
PCM_RATE_HZ = 16_000
REALS = (*(0.0, -0.0, 0.5, 1.0, -1.0, 1e-45, 1e10, 1e38, 1e308), *(math.nan, math.inf, -math.inf, 5e-324))
WHOLES = (0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 2000, 2001, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1)
WORDS = (
    *(
        "",
        " ",
        "logit",
        "conv1",
        "fc7",
        "conv9",
        "masker",
        "gradient",
        "inversion",
        "\0",
        "conv1\0",
        "CONV1",
        "conv1\n",
    ),
    *("\u202egnirts", "\ud7ff", "\U0010ffff", "e\u0301" * 40, "\u200b", "../../etc/passwd", "%s%n{0}", "∞", "9" * 5000),
)
HUGE_BYTES = 70 << 20  # more than the service takes
_INTEGERS = {  # how many bits, signed or not
    FieldDescriptor.TYPE_UINT32: (32, False),
    FieldDescriptor.TYPE_UINT64: (64, False),
    FieldDescriptor.TYPE_INT32: (32, True),
    FieldDescriptor.TYPE_INT64: (64, True),
    FieldDescriptor.TYPE_ENUM: (32, True),
}


def request(method: MethodDescriptor, files: Damaged, random: Random) -> bytes:
    """The bytes of a request: sound but for its audio and a few fields, or damaged, or not a message.

    Args:
        method: what is asked for.
        files: what audio is taken from.
        random: what decides.
    """
    chance = random.random()
    if chance < 0.002:
        return bytes(HUGE_BYTES)
    if chance < 0.05:
        return random.randbytes(random.choice((0, 1, 2, 10, 1000)))
    message = sound_request(method, files, random)
    for _ in range(random.choice((0, 0, 1, 1, 2, 5))):
        spoil(message, random)
    content: bytes = message.SerializeToString()
    if chance < 0.2:
        return damaged(content, [content[:2000], random.randbytes(20)], random)
    # What comes twice counts where it comes last, and messages within are merged: two sources of audio in one.
    again: bytes = sound_request(method, files, random).SerializeToString() if chance < 0.25 else b""
    return content + again


def sound_request(method: MethodDescriptor, files: Damaged, random: Random) -> Any:  # noqa: ANN401 - protobuf
    """A request that can be answered, if its audio can be."""
    message: Any = GetMessageClass(method.input_type)()
    names = method.input_type.fields_by_name
    if "audio" in names:
        audio(message.audio, files, random)
    if "at_s" in names:
        message.at_s = random.uniform(0, SECONDS)
    if "listen" in names:
        message.listen = random.random() < 0.2
    if "layer" in names:
        message.layer, message.strongest = "conv1", random.randint(0, 3)
    if "steps" in names:
        message.steps, message.examples = random.choice((0, 1, 3)), random.randint(1, 2)
    return message


def audio(message: Any, files: Damaged, random: Random) -> None:  # noqa: ANN401 - protobuf
    """Fills in an `Audio`: a damaged file, or samples of which the size may be wrong."""
    if random.random() < 0.7:
        number = random.randrange(1 << 40)
        message.encoded = files.whole(number) if random.random() < 0.4 else files[number]
        return
    channels = random.choice((1, 1, 2, 6))
    samples = sound(SECONDS, PCM_RATE_HZ, channels).copy()
    if random.random() < 0.3:
        samples[random.randrange(len(samples))] = random.choice((math.nan, math.inf, -1e38, 1001, 1e-45))
    content = samples.tobytes()
    message.pcm.samples = content[: random.choice((len(content), len(content), len(content) // 3, 3, 0))]
    message.pcm.sample_rate_hz = random.choice((PCM_RATE_HZ, PCM_RATE_HZ, 4_000, 44_100, 384_000, 3_999, 0))
    message.pcm.channels = random.choice((channels, channels, 0, 32))


def spoil(message: Any, random: Random) -> None:  # noqa: ANN401 - protobuf
    """Sets one field, of the message or one within, to what may be impossible."""
    fields: list[FieldDescriptor] = list(message.DESCRIPTOR.fields)
    if not fields:
        return
    field = random.choice(fields)
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        held = getattr(message, field.name)
        for _ in range(random.choice((1, 2, 70)) if field.is_repeated else 1):
            within = held.add() if field.is_repeated else held
            within.SetInParent()
            spoil(within, random)
    elif field.is_repeated:
        getattr(message, field.name).extend(value(field, random) for _ in range(random.choice((1, 2, 65, 5000))))
    else:
        setattr(message, field.name, value(field, random))


def value(field: FieldDescriptor, random: Random) -> Any:  # noqa: ANN401 - protobuf
    """A value a field's type allows."""
    if field.type in _INTEGERS:
        bits, signed = _INTEGERS[field.type]
        whole = random.choice((*WHOLES, random.getrandbits(bits))) & ((1 << bits) - 1)
        return whole - (1 << bits) if signed and whole >> (bits - 1) else whole
    match field.type:
        case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
            return random.choice((*REALS, random.gauss(0, 1), random.random()))
        case FieldDescriptor.TYPE_BOOL:
            return random.random() < 0.5
        case FieldDescriptor.TYPE_STRING:
            return random.choice(WORDS)
        case _:
            return random.randbytes(random.choice((0, 1, 4, 1000)))

"""`Client.describe`."""

from __future__ import annotations

from phonoscope.v1 import bundle_pb2

from phonoscope_client.messages import bundle as bundle_messages
from phonoscope_client.questions.question import Question
from phonoscope_client.results.bundle import Bundle


def describe() -> Question[Bundle]:
    """What the service is serving."""
    return Question("DescribeBundle", bundle_pb2.DescribeBundleRequest(), bundle_messages.bundle)

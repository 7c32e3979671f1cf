"""The client: one connection to a service, one method for each of its RPCs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from typing import Literal, Self

from phonoscope.v1 import auralisation_pb2, bundle_pb2, explanation_pb2, inversion_pb2, prediction_pb2
from phonoscope.v1.explainer_service_pb2_grpc import ExplainerServiceStub

from phonoscope_client import arguments
from phonoscope_client.messages import auralisation as auralisation_messages
from phonoscope_client.messages import bundle as bundle_messages
from phonoscope_client.messages import curve as curve_messages
from phonoscope_client.messages import explanation as explanation_messages
from phonoscope_client.messages import inversion as inversion_messages
from phonoscope_client.messages import maximisation as maximisation_messages
from phonoscope_client.results.auralisation import Auralisation, Network, Resynthesis
from phonoscope_client.results.bundle import Bundle
from phonoscope_client.results.curve import Curve
from phonoscope_client.results.explanation import Evidence, Explanation, Masking
from phonoscope_client.results.inversion import Inversions
from phonoscope_client.results.maximisation import Direction, Maximisation, MaximisationProgress
from phonoscope_client.results.response import ResponseTerm
from phonoscope_client.transport import audio as sound
from phonoscope_client.transport.audio import AudioInput
from phonoscope_client.transport.calls import Calls
from phonoscope_client.transport.channel import Tls, open_channel


class Client:
    """A connection to an explainer service. It may be shared between threads; close it, or use it in `with`.

    Args:
        address: `host:port` of the service; of replicas, which share the calls, a name that stands for all of them,
            `dns:///music:50051`, or each, `ipv4:10.0.0.1:50051,10.0.0.2:50051`.
        timeout_s: seconds an answer may take, retries included.
        tls: encrypts the connection; None leaves it in the clear.
        token: bearer token, where the service asks for one; sent as it is, so give it together with `tls`.
        patience_s: seconds, of `timeout_s`, to go on where no service answers: it may be starting again.

    A busy service is asked again when it says so. Retries are at most a share of the calls; `maximise` and `auralise`
    are not repeated once they may have begun. Every method raises a `PhonoscopeError`: `InvalidInputError` (do not
    retry), `BusyError` and `UnavailableError` (already retried), `DeadlineExceededError`, `NotInBundleError`,
    `UnauthenticatedError` or `ServiceError`.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float = 30.0,
        tls: Tls | None = None,
        token: str | None = None,
        patience_s: float = 10.0,
    ) -> None:
        self._channel = open_channel(address, tls)
        self._calls = Calls(self._channel, timeout_s, token, patience_s)
        self._stub = ExplainerServiceStub(self._channel)

    def predict(self, audio: AudioInput) -> Curve:
        """The probability that somebody sings, at every frame of a recording.

        Args:
            audio: path of a file (WAV, FLAC, MP3, AAC, Ogg, WebM and more, see `Audio` in audio.proto), the bytes of
                one, or `(samples, sample_rate_hz)` with floating-point samples `[N]` or `[N, channels]`; at most
                64 MiB and 1200 s.
        """
        response: prediction_pb2.PredictResponse = self._calls.answer(
            self._stub.Predict, prediction_pb2.PredictRequest(audio=sound.whole(audio))
        )
        return curve_messages.curve(response)

    def explain(
        self,
        audio: AudioInput,
        at_s: float,
        *,
        rule: str | None = None,
        alpha: float | Literal["keep-label"] | None = None,
        maximum_area: float | None = None,
        masking: Masking = "m1",
        listen: bool = True,
        outside_db: float | None = None,
        detailed: bool = False,
        control_seed: int | None = None,
        evidence: Evidence | None = None,
    ) -> Explanation:
        """Why the detector answered as it did at one moment of a recording.

        Args:
            audio: as for `predict`, but of any length: of a longer one, what surrounds `at_s` is sent.
            at_s: the moment, in seconds from the start.
            rule: what says how relevant each bin is: one of those `describe` lists, such as "masker", "gradient" or
                "inversion"; None for the bundle's default.
            alpha: bins whose relevance is at least this, in [0, 1], form the region; "keep-label" for the largest
                that keeps the detector's label; None for the rule's own.
            maximum_area: instead of alpha, the largest share of the excerpt the region may cover, in (0, 1].
            masking: what a masked bin becomes: "m1" its band's mean, "m2" a raw log-mel of zero.
            listen: whether to return the excerpt and its explanation as sound as well, and try that sound out.
            outside_db: decibels, 0 to 120, by which what lies outside the region is attenuated in that sound; None for
                the service's own.
            detailed: whether to return `inverted` and `explanation` as well.
            control_seed: what other music and regions are drawn from, below 2³¹; None for one of the excerpt's own.
            evidence: "full", by exchange with other music; "kept", of that only region and silhouette, in less time;
                "mean-fill", no exchange; None for the most that the bundle can.

        Raises:
            NotInBundleError: evidence by exchange is asked for, and the bundle has no other music.
            OutOfRangeError: `at_s` lies outside the recording.
        """
        at_s = arguments.moment(at_s)
        section = sound.around(audio, at_s)
        request = explanation_messages.request(
            section.message,
            at_s - section.start_s,
            rule,
            alpha,
            maximum_area,
            masking,
            listen,
            outside_db,
            detailed,
            control_seed,
            evidence,
        )
        response: explanation_pb2.ExplainResponse = self._calls.answer(self._stub.Explain, request)
        return explanation_messages.explanation(response, section=section)

    def invert_layers(
        self, audio: AudioInput, at_s: float, *, layers: Collection[str] = (), listen: bool = True
    ) -> Inversions:
        """What each layer of the detector keeps of one moment of a recording.

        Args:
            audio: as for `explain`.
            at_s: the moment, in seconds from the start.
            layers: names of layers, each once, as `describe` lists them; none for all that can be inverted.
            listen: whether to return the excerpt and every inversion as sound as well.

        Raises:
            OutOfRangeError: `at_s` lies outside the recording.
            NotInBundleError: the bundle that is served has no networks that invert layers.
        """
        at_s = arguments.moment(at_s)
        section = sound.around(audio, at_s)
        request = inversion_messages.request(section.message, at_s - section.start_s, layers, listen)
        response: inversion_pb2.InvertLayersResponse = self._calls.answer(self._stub.InvertLayers, request)
        return inversion_messages.inversions(response, section=section)

    def auralise(
        self,
        audio: AudioInput,
        at_s: float,
        layer: str,
        *,
        features: Collection[int] = (),
        strongest: int | None = None,
        network: Network = "tagger",
        resynthesis: Resynthesis = "phase",
        largest_activation_only: bool = False,
        listen: bool = True,
    ) -> Auralisation:
        """What features of one layer hear of one moment of a recording; many cost little more than one.

        Args:
            audio: as for `explain`.
            at_s: the moment, in seconds from the start; the clip lies around it.
            layer: name of one of the network's convolutions, as `describe` lists them.
            features: numbers of features, from 0, each once.
            strongest: instead, how many of those that answer most strongly; 8 where neither is given.
            network: whose features, "tagger" or "detector".
            resynthesis: "phase", the picture is the magnitude and the recording lends its phase, or "spectrum", the
                recording's complex spectrum times the picture.
            largest_activation_only: keep only the largest activation of each feature's map instead of the whole map.
            listen: whether to return the clip and every picture as sound as well.

        Raises:
            OutOfRangeError: `at_s` lies outside the recording.
            NotInBundleError: the bundle that is served cannot make the network heard.
        """
        at_s = arguments.moment(at_s)
        section = sound.around(audio, at_s)
        request = auralisation_messages.request(
            section.message,
            at_s - section.start_s,
            network,
            layer,
            features,
            strongest,
            largest_activation_only,
            resynthesis,
            listen,
        )
        response: auralisation_pb2.AuraliseResponse = self._calls.answer(self._stub.Auralise, request)
        return auralisation_messages.auralisation(response, network=network, layer=layer, section=section)

    def maximise(
        self,
        terms: Sequence[ResponseTerm] = (),
        *,
        position: tuple[int, int] | None = None,
        direction: Direction = "maximise",
        examples: int = 4,
        seed: int = 0,
        steps: int | None = None,
        learning_rate: float | None = None,
        prior_weight: float | None = None,
        listen: bool = True,
        on_progress: Callable[[MaximisationProgress], None] | None = None,
    ) -> Maximisation:
        """Sounds that a unit, a layer or any weighted sum of units responds to most, or least.

        Args:
            terms: what is to respond, added up; none for the output before its sigmoid.
            position: frame and band in a layer's maps whose response counts; None for the mean of the map.
            direction: "maximise" or "minimise".
            examples: how many sounds, 1 to 16.
            seed: of the random sounds they are found from.
            steps: of the optimiser, 0 to 2000; None for the bundle's own, likewise below.
            learning_rate: length of a step, above 0 to 1.
            prior_weight: how much it counts to stay close to music, 0 to 10.
            listen: whether to return every example as sound as well.
            on_progress: called every few steps, in the calling thread; what it raises ends the call and arrives here.

        Raises:
            NotInBundleError: the bundle that is served has no generator.
        """
        request = maximisation_messages.request(
            terms, position, direction, examples, seed, steps, learning_rate, prior_weight, listen
        )
        with closing(self._calls.stream(self._stub.Maximise, request)) as stream:
            return maximisation_messages.maximisation(stream, request, terms, direction, on_progress)

    def describe(self) -> Bundle:
        """What the service is serving."""
        request = bundle_pb2.DescribeBundleRequest()
        return bundle_messages.bundle(self._calls.answer(self._stub.DescribeBundle, request))

    def close(self) -> None:
        """End the connection; calls in flight are cancelled."""
        self._calls.close()
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

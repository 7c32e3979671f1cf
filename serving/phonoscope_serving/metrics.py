"""What the service counts, in its own Prometheus registry; every label comes from a closed set."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from phonoscope_serving.rpcs.auralise.answer import Auralisation
from phonoscope_serving.rpcs.explain.trust import Trust
from phonoscope_serving.rpcs.invert.answer import Inversion

CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
ENGINE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
BATCH_ROWS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)
RELATIVE_AREAS = tuple(tenth / 10 for tenth in range(1, 11))
RECONSTRUCTION_ERRORS = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.0, 3.0)
INVERSION_ERRORS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.3, 2.0)


class Metrics:
    """One process's metrics; a registry of its own, so that two services in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        call = ["grpc_type", "grpc_service", "grpc_method"]
        self.calls_started = Counter("grpc_server_started_total", "Calls received.", call, registry=self.registry)
        self.calls_handled = Counter(
            "grpc_server_handled_total", "Calls answered.", [*call, "grpc_code"], registry=self.registry
        )
        self.call_seconds = Histogram(
            "grpc_server_handling_seconds",
            "From receiving a call to answering it.",
            call,
            buckets=CALL_SECONDS,
            registry=self.registry,
        )
        self._measure_engine()
        self._measure_quality()
        self._measure_inversions()
        self._measure_maximisation()
        self._measure_features()

    def _measure_engine(self) -> None:
        self.batch_rows = Histogram(
            "phonoscope_batch_rows",
            "Rows run together.",
            ["model"],
            buckets=BATCH_ROWS,
            registry=self.registry,
        )
        self.queue_rows = Gauge(
            "phonoscope_queue_rows",
            "Rows waiting; of a Triton server, rows not yet answered.",
            ["model"],
            registry=self.registry,
        )
        self.engine_seconds = Histogram(
            "phonoscope_engine_seconds",
            "Running one batch; of a Triton server, one call.",
            ["model"],
            buckets=ENGINE_SECONDS,
            registry=self.registry,
        )

    def _measure_quality(self) -> None:
        self.bundle_info = Info("phonoscope_bundle", "The bundle that is served.", registry=self.registry)
        self.explanations = Counter(
            "phonoscope_explanations_total",
            "Explanations given; those whose region keeps the label have label_kept=true.",
            ["bundle", "rule", "region", "masking", "label", "label_kept"],
            registry=self.registry,
        )
        self.removal_flips = Counter(
            "phonoscope_removal_flips_total",
            "Explanations whose removal loses the label.",
            ["bundle", "rule"],
            registry=self.registry,
        )
        self.relative_area = Histogram(
            "phonoscope_relative_area",
            "Unmasked bins divided by all bins.",
            ["bundle", "rule"],
            buckets=RELATIVE_AREAS,
            registry=self.registry,
        )
        self.reconstruction_error = Histogram(
            "phonoscope_reconstruction_error",
            "Root-mean-square difference between standardised excerpt and inversion.",
            ["bundle", "rule"],
            buckets=RECONSTRUCTION_ERRORS,
            registry=self.registry,
        )
        self.strange_explanations = Counter(
            "phonoscope_explanations_out_of_distribution_total",
            "Explanations of excerpts that invert worse than 99 % of the bundle's validation excerpts.",
            ["bundle", "rule"],
            registry=self.registry,
        )
        self.heard_explanations = Counter(
            "phonoscope_heard_explanations_total",
            "Explanations made to sound; those whose sound keeps the label have label_kept=true.",
            ["bundle", "rule", "label_kept"],
            registry=self.registry,
        )

    def _measure_inversions(self) -> None:
        self.inversion_error = Histogram(
            "phonoscope_inversion_error",
            "Distance of a layer's inversion from the standardised excerpt, over that between validation excerpts.",
            ["bundle", "layer"],
            buckets=INVERSION_ERRORS,
            registry=self.registry,
        )
        self.strange_inversions = Counter(
            "phonoscope_inversions_out_of_distribution_total",
            "Inversions that fit worse than on 99 % of the bundle's validation excerpts.",
            ["bundle", "layer"],
            registry=self.registry,
        )

    def _measure_maximisation(self) -> None:
        self.maximised_examples = Counter(
            "phonoscope_maximised_examples_total",
            "Examples made for a response that was to be maximised or minimised.",
            ["bundle", "direction"],
            registry=self.registry,
        )
        self.ascent_steps = Counter(
            "phonoscope_ascent_steps_total",
            "Steps of those examples' ascents.",
            ["bundle", "direction"],
            registry=self.registry,
        )

    def _measure_features(self) -> None:
        self.heard_features = Counter(
            "phonoscope_features_heard_total",
            "Features made heard; those that did not answer to the clip at all have answered=false.",
            ["bundle", "network", "layer", "answered"],
            registry=self.registry,
        )

    def observe_explanation(self, bundle: str, rule: str, region: str, masking: str, trust: Trust) -> None:
        """Counts one explanation and the quality of it.

        Args:
            bundle: name of the bundle that answered.
            rule: what said how relevant each bin is; one of the bundle's.
            region: how the region was chosen from that.
            masking: what a masked bin became.
            trust: the evidence that was returned.
        """
        label = "vocal" if trust.vocal else "instrumental"
        self.explanations.labels(bundle, rule, region, masking, label, _flag(trust.label_kept)).inc()
        self.removal_flips.labels(bundle, rule).inc(int(trust.removal_flips_label))
        self.relative_area.labels(bundle, rule).observe(trust.relative_area)
        self.reconstruction_error.labels(bundle, rule).observe(trust.reconstruction_error)
        self.strange_explanations.labels(bundle, rule).inc(int(trust.out_of_distribution))
        if trust.heard_label_kept is not None:
            self.heard_explanations.labels(bundle, rule, _flag(trust.heard_label_kept)).inc()

    def observe_inversions(self, bundle: str, inversions: Iterable[Inversion]) -> None:
        """Notes how well each layer of one excerpt was inverted.

        Args:
            bundle: name of the bundle that answered.
            inversions: what was returned; their layers are the bundle's.
        """
        for inversion in inversions:
            self.inversion_error.labels(bundle, inversion.layer).observe(inversion.reconstruction_error)
            self.strange_inversions.labels(bundle, inversion.layer).inc(int(inversion.out_of_distribution))

    def observe_example(self, bundle: str, direction: str, steps: int) -> None:
        """Counts one example.

        Args:
            bundle: name of the bundle that answered.
            direction: "maximise" or "minimise".
            steps: of its ascent.
        """
        self.maximised_examples.labels(bundle, direction).inc()
        self.ascent_steps.labels(bundle, direction).inc(steps)

    def observe_features(self, bundle: str, auralisation: Auralisation) -> None:
        """Counts the features that were made heard.

        Args:
            bundle: name of the bundle that answered.
            auralisation: what was returned; its network and layer are the bundle's.
        """
        for feature in auralisation.features:
            labels = (bundle, auralisation.network.name, auralisation.layer, _flag(bool(feature.heard.any())))
            self.heard_features.labels(*labels).inc()


def _flag(value: bool) -> str:
    return "true" if value else "false"

"""The quality of what is answered: whether explanations hold, inversions resemble what was heard, sound is sound."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.rpcs.auralise.answer import Auralisation
from phonoscope_serving.rpcs.explain.trust import Trust
from phonoscope_serving.rpcs.invert.answer import Inversion
from phonoscope_serving.sound.warning import SoundWarning, WarningKind
from phonoscope_serving.tensors import Floats

RELATIVE_AREAS = tuple(tenth / 10 for tenth in range(1, 11))
RECONSTRUCTION_ERRORS = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.0, 3.0)
DOUBTS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0)
INVERSION_ERRORS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.3, 2.0)


class Quality:
    """The quality of one process's answers; every label comes from a closed set.

    Args:
        registry: of the process's metrics.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._measure_explanations(registry)
        self._measure_inversions(registry)
        self._measure_maximisation(registry)
        self._measure_features(registry)
        self._measure_sound(registry)
        self._measure_tracks(registry)
        self._measure_baselines(registry)

    def _measure_explanations(self, registry: CollectorRegistry) -> None:
        self.explanations = Counter(
            "phonoscope_explanations_total",
            "Explanations given; those whose region keeps the label have label_kept=true.",
            ["bundle", "rule", "region", "masking", "label", "label_kept"],
            registry=registry,
        )
        self.removal_flips = Counter(
            "phonoscope_removal_flips_total",
            "Explanations whose removal loses the label.",
            ["bundle", "rule"],
            registry=registry,
        )
        self.relative_area = Histogram(
            "phonoscope_relative_area",
            "Unmasked bins divided by all bins.",
            ["bundle", "rule"],
            buckets=RELATIVE_AREAS,
            registry=registry,
        )
        self.reconstruction_error = Histogram(
            "phonoscope_reconstruction_error",
            "Root-mean-square difference between standardised excerpt and inversion.",
            ["bundle", "rule"],
            buckets=RECONSTRUCTION_ERRORS,
            registry=registry,
        )
        self.explanations_out_of_distribution = Counter(
            "phonoscope_explanations_out_of_distribution_total",
            "Explanations of excerpts with more doubt about them than 99 % of the bundle's validation excerpts.",
            ["bundle", "rule"],
            registry=registry,
        )
        self.doubt = Histogram(
            "phonoscope_doubt",
            "Chance that an explained answer is not to be leaned on, where the bundle can tell.",
            ["bundle"],
            buckets=DOUBTS,
            registry=registry,
        )
        self.heard_explanations = Counter(
            "phonoscope_heard_explanations_total",
            "Explanations made to sound; those whose sound keeps the label have label_kept=true.",
            ["bundle", "rule", "label_kept"],
            registry=registry,
        )

        self.exchange_trials = Counter(
            "phonoscope_exchange_trials_total",
            "What was tried on regions in other music; tries that keep the label have label_kept=true.",
            ["bundle", "rule", "label", "trial", "label_kept"],
            registry=registry,
        )

    def _measure_inversions(self, registry: CollectorRegistry) -> None:
        self.inversion_error = Histogram(
            "phonoscope_inversion_error",
            "Distance of a layer's inversion from the standardised excerpt, over that between validation excerpts.",
            ["bundle", "layer"],
            buckets=INVERSION_ERRORS,
            registry=registry,
        )
        self.inversions_out_of_distribution = Counter(
            "phonoscope_inversions_out_of_distribution_total",
            "Inversions that fit worse than on 99 % of the bundle's validation excerpts.",
            ["bundle", "layer"],
            registry=registry,
        )

    def _measure_maximisation(self, registry: CollectorRegistry) -> None:
        self.maximised_examples = Counter(
            "phonoscope_maximised_examples_total",
            "Examples made for a response that was to be maximised or minimised.",
            ["bundle", "direction"],
            registry=registry,
        )
        self.ascent_steps = Counter(
            "phonoscope_ascent_steps_total",
            "Optimisation steps of those examples.",
            ["bundle", "direction"],
            registry=registry,
        )

    def _measure_features(self, registry: CollectorRegistry) -> None:
        self.heard_features = Counter(
            "phonoscope_features_heard_total",
            "Features made heard; those that did not answer to the clip at all have answered=false.",
            ["bundle", "network", "layer", "answered"],
            registry=registry,
        )

    def _measure_sound(self, registry: CollectorRegistry) -> None:
        self.sound_warnings = Counter(
            "phonoscope_sound_warnings_total",
            "Answers about recordings that were warned of; once for each kind of warning.",
            ["kind"],
            registry=registry,
        )
        for kind in WarningKind:  # a rate that rises from nothing is seen only where there was a 0 before
            self.sound_warnings.labels(_label(kind))

    def _measure_tracks(self, registry: CollectorRegistry) -> None:
        self.track_seconds = Counter(
            "phonoscope_track_seconds_total", "Seconds of whole tracks that were heard.", registry=registry
        )

    def _measure_baselines(self, registry: CollectorRegistry) -> None:
        self.baseline_reconstruction_error = Gauge(
            "phonoscope_baseline_reconstruction_error",
            "Mean of phonoscope_reconstruction_error over the bundle's validation excerpts.",
            ["bundle"],
            registry=registry,
        )
        self.baseline_inversion_error = Gauge(
            "phonoscope_baseline_inversion_error",
            "Mean of phonoscope_inversion_error over the bundle's validation excerpts.",
            ["bundle", "layer"],
            registry=registry,
        )

    def observe_bundle(self, bundle: Bundle) -> None:
        """Shows what a bundle's answers are worth on its own validation excerpts, to compare those it gives with.

        Args:
            bundle: that answers from now on.
        """
        self.baseline_reconstruction_error.labels(bundle.name).set(_mean(bundle.reconstruction_error_quantiles))
        for layer, quantiles in bundle.inversion_error_quantiles.items():
            self.baseline_inversion_error.labels(bundle.name, layer).set(_mean(quantiles))

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
        self.explanations_out_of_distribution.labels(bundle, rule).inc(int(trust.out_of_distribution))
        if trust.doubt is not None:
            self.doubt.labels(bundle).observe(trust.doubt.doubt)
        if trust.heard_label_kept is not None:
            self.heard_explanations.labels(bundle, rule, _flag(trust.heard_label_kept)).inc()
        for trial, share in trust.exchange.shares.items() if trust.exchange else ():
            for kept, times in ((True, share.kept), (False, share.n - share.kept)):
                self.exchange_trials.labels(bundle, rule, label, trial, _flag(kept)).inc(times)

    def observe_inversions(self, bundle: str, inversions: Iterable[Inversion]) -> None:
        """Notes how well each layer of one excerpt was inverted.

        Args:
            bundle: name of the bundle that answered.
            inversions: what was returned; their layers are the bundle's.
        """
        for inversion in inversions:
            self.inversion_error.labels(bundle, inversion.layer).observe(inversion.reconstruction_error)
            self.inversions_out_of_distribution.labels(bundle, inversion.layer).inc(int(inversion.out_of_distribution))

    def observe_example(self, bundle: str, direction: str, steps: int) -> None:
        """Counts one example.

        Args:
            bundle: name of the bundle that answered.
            direction: "maximise" or "minimise".
            steps: of its optimisation.
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

    def observe_sound(self, warnings: Iterable[SoundWarning]) -> None:
        """Counts what one answer warns of.

        Args:
            warnings: what was returned; those of one kind count as one.
        """
        for kind in {warning.kind for warning in warnings}:
            self.sound_warnings.labels(_label(kind)).inc()


def _mean(quantiles: Floats) -> float:
    """The mean of a distribution of which the 0 % to 100 % quantiles are known, evenly spaced."""
    return float(np.trapezoid(quantiles, dx=1 / (len(quantiles) - 1)))


def _label(kind: WarningKind) -> str:
    return kind.name.lower()


def _flag(value: bool) -> str:
    return "true" if value else "false"

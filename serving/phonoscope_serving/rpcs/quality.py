"""The quality of what is answered: whether explanations hold, inversions resemble what was heard, sound is sound."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.rpcs.auralise.answer import Auralisation
from phonoscope_serving.rpcs.baselines import Baselines
from phonoscope_serving.rpcs.explain.trust import Trust
from phonoscope_serving.rpcs.invert.answer import Inversion
from phonoscope_serving.sound.warning import SoundWarning, WarningKind

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
        self._baselines = Baselines(registry)

    def _measure_explanations(self, registry: CollectorRegistry) -> None:
        self.explanations = Counter(
            "phonoscope_explanations_total",
            "Explanations given; those whose region keeps the label have label_kept=true.",
            ["bundle", "listener", "rule", "region", "masking", "label", "label_kept"],
            registry=registry,
        )
        self.removal_flips = Counter(
            "phonoscope_removal_flips_total",
            "Explanations whose removal loses the label.",
            ["bundle", "listener", "rule"],
            registry=registry,
        )
        self.relative_area = Histogram(
            "phonoscope_relative_area",
            "Unmasked bins divided by all bins.",
            ["bundle", "listener", "rule"],
            buckets=RELATIVE_AREAS,
            registry=registry,
        )
        self.reconstruction_error = Histogram(
            "phonoscope_reconstruction_error",
            "Root-mean-square difference between standardised excerpt and inversion.",
            ["bundle", "listener", "rule"],
            buckets=RECONSTRUCTION_ERRORS,
            registry=registry,
        )
        self.explanations_out_of_distribution = Counter(
            "phonoscope_explanations_out_of_distribution_total",
            "Explanations of excerpts with more doubt about them than 99 % of the bundle's validation excerpts.",
            ["bundle", "listener", "rule"],
            registry=registry,
        )
        self.doubt = Histogram(
            "phonoscope_doubt",
            "Chance that an explained answer is not to be leaned on, where the bundle can tell.",
            ["bundle", "listener"],
            buckets=DOUBTS,
            registry=registry,
        )
        self.heard_explanations = Counter(
            "phonoscope_heard_explanations_total",
            "Explanations made to sound; those whose sound keeps the label have label_kept=true.",
            ["bundle", "listener", "rule", "label_kept"],
            registry=registry,
        )

        self.exchange_trials = Counter(
            "phonoscope_exchange_trials_total",
            "What was tried on regions in other music; tries that keep the label have label_kept=true.",
            ["bundle", "listener", "rule", "label", "trial", "label_kept"],
            registry=registry,
        )

    def _measure_inversions(self, registry: CollectorRegistry) -> None:
        self.inversion_error = Histogram(
            "phonoscope_inversion_error",
            "Distance of a layer's inversion from the standardised excerpt, over that between validation excerpts.",
            ["bundle", "listener", "layer"],
            buckets=INVERSION_ERRORS,
            registry=registry,
        )
        self.inversions_out_of_distribution = Counter(
            "phonoscope_inversions_out_of_distribution_total",
            "Inversions that fit worse than on 99 % of the bundle's validation excerpts.",
            ["bundle", "listener", "layer"],
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

    def observe_bundle(self, bundle: Bundle) -> None:
        """Shows what a bundle's answers are worth on its own validation excerpts, to compare those it gives with.

        Args:
            bundle: that answers from now on.
        """
        self._baselines.observe_bundle(bundle)

    def observe_explanation(
        self, bundle: str, listener: str, rule: str, region: str, masking: str, trust: Trust
    ) -> None:
        """Counts one explanation and the quality of it.

        Args:
            bundle: name of the bundle that answered.
            listener: of the bundle.
            rule: what said how relevant each bin is; one of the bundle's.
            region: how the region was chosen from that.
            masking: what a masked bin became.
            trust: the evidence that was returned.
        """
        label, explained = trust.claim.name, (bundle, listener, rule)
        self.explanations.labels(*explained, region, masking, label, _flag(trust.label_kept)).inc()
        self.removal_flips.labels(*explained).inc(int(trust.removal_flips_label))
        self.relative_area.labels(*explained).observe(trust.relative_area)
        if trust.inverts:
            self.reconstruction_error.labels(*explained).observe(trust.reconstruction_error)
        self.explanations_out_of_distribution.labels(*explained).inc(int(trust.out_of_distribution))
        if trust.doubt is not None:
            self.doubt.labels(bundle, listener).observe(trust.doubt.doubt)
        if trust.heard_label_kept is not None:
            self.heard_explanations.labels(*explained, _flag(trust.heard_label_kept)).inc()
        for trial, share in trust.exchange.shares.items() if trust.exchange else ():
            for kept, times in ((True, share.kept), (False, share.n - share.kept)):
                self.exchange_trials.labels(*explained, label, trial, _flag(kept)).inc(times)

    def observe_inversions(self, bundle: str, listener: str, inversions: Iterable[Inversion]) -> None:
        """Notes how well each layer of one excerpt was inverted.

        Args:
            bundle: name of the bundle that answered.
            listener: of the bundle.
            inversions: what was returned; their layers are the listener's.
        """
        for each in inversions:
            named = (bundle, listener, each.layer)
            self.inversion_error.labels(*named).observe(each.reconstruction_error)
            self.inversions_out_of_distribution.labels(*named).inc(int(each.out_of_distribution))

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


def _label(kind: WarningKind) -> str:
    return kind.name.lower()


def _flag(value: bool) -> str:
    return "true" if value else "false"

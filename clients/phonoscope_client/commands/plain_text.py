"""Results as a few lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from phonoscope_client.results.auralisation import Auralisation
from phonoscope_client.results.bundle import AudibleNetwork, Bundle, ExchangeBank, Layer, Listener
from phonoscope_client.results.curve import Curve
from phonoscope_client.results.explanation import Explanation
from phonoscope_client.results.inversion import Inversions
from phonoscope_client.results.maximisation import Maximisation
from phonoscope_client.results.parts import SINGING, VOCAL, BundleReference, SoundWarning
from phonoscope_client.results.passages import vocal_passages
from phonoscope_client.results.segments import Segment
from phonoscope_client.results.track import Track
from phonoscope_client.results.verdict.trials import trials
from phonoscope_client.results.verdict.verdict import verdict
from phonoscope_client.results.wording import alike, clock, clock_exact, each_label, percent, spoken_of, warning

MOST_PASSAGES = 12
MOST_MOMENTS = 3
DIGEST_CHARACTERS = 12  # enough to tell bundles apart
_SIGNS = {"supports": "+", "weakens": "-", "neutral": "."}


def explanation_text(explanation: Explanation, *, song: str) -> str:
    """The answer, what was tried on its explanation, and how far to trust it."""
    trust = explanation.trust
    judged = verdict(explanation)
    lines = [
        f"{song} at {explanation.at_s:.2f} s: {_answer(explanation)}",
        f"region: {percent(trust.relative_area)} of the excerpt, rule {explanation.rule}, alpha {explanation.alpha:g}, "
        f"masking {explanation.masking}",
        *_warning_lines(explanation.warnings),
        "",
        *(f"  {each.name:25}{each.probability:.3f}  {each.label}" for each in trials(explanation)),
        "",
        judged.headline,
        *(f"  {_SIGNS[finding.bearing]} {finding.text}" for finding in judged.findings),
        *(f"  like {each}" for each in map(alike, explanation.nearest)),
        _bundle_line(explanation.bundle),
    ]
    return "\n".join(lines)


def _answer(explanation: Explanation) -> str:
    """What is explained, and what the listener says."""
    if explanation.is_binary:
        first = next(iter(explanation.labels), VOCAL)
        said = f"probability of {spoken_of(first)} {explanation.probability:.2f}"
        return f"{explanation.label}, {said} ({first} from {explanation.threshold:.2f})"
    against = f" rather than {explanation.contrast}" if explanation.contrast else ""
    said = f"the {explanation.listener} says {each_label(explanation.labels)}"
    return f"why {explanation.label}{against}; {said}"


def inversions_text(inversions: Inversions, *, song: str) -> str:
    """How much each layer has lost."""
    width = max(map(len, inversions.layers))
    is_binary = len(inversions.labels) <= len(SINGING)
    first = spoken_of(next(iter(inversions.labels), VOCAL) if is_binary else inversions.label)
    lines = [
        f"{song} at {inversions.at_s:.2f} s: {inversions.label}, probability of {first} {inversions.probability:.2f}",
        *_warning_lines(inversions.warnings),
        "normalised error of what is rebuilt from each layer (0: the excerpt itself, 1: as far as another excerpt):",
        "",
        *(
            f"  {name:{width}}  {layer.reconstruction_error:.3f}  above {percent(layer.reconstruction_percentile)} "
            f"of validation excerpts{', out of distribution' if layer.out_of_distribution else ''}"
            for name, layer in inversions.layers.items()
        ),
        "",
        _bundle_line(inversions.bundle),
    ]
    return "\n".join(lines)


def auralisation_text(auralisation: Auralisation, *, song: str) -> str:
    """What the network says of the clip, and how strongly each feature answers."""
    width = max(map(len, auralisation.features))
    answer = ", ".join(f"{label} {share:.2f}" for label, share in auralisation.classes.items())
    lines = [
        f"{song} around {auralisation.at_s:.2f} s: the {auralisation.network} says {answer}",
        *_warning_lines(auralisation.warnings),
        f"mean activation of features of {auralisation.layer}:",
        "",
        *(
            f"  {name:{width}}  {each.strength:.4g}{'' if each.heard.any() else ', did not answer'}"
            for name, each in auralisation.features.items()
        ),
        "",
        _bundle_line(auralisation.bundle),
    ]
    return "\n".join(lines)


def maximisation_text(found: Maximisation) -> str:
    """What each example came to."""
    lines = [
        f"{found.direction} {found.response}: {found.steps} steps of {found.learning_rate:g}, "
        f"weight of the prior {found.prior_weight:g}",
        "",
        *(
            f"  {name:>2}  response {each.initial_response:8.3f} -> {each.response:8.3f}   "
            f"probability of singing {each.initial_probability:.2f} -> {each.probability:.2f}"
            for name, each in found.examples.items()
        ),
        "",
        _bundle_line(found.bundle),
    ]
    return "\n".join(lines)


def curve_text(curve: Curve, *, song: str) -> str:
    """How much of a recording is sung, and where."""
    passages = vocal_passages(curve)
    longest = sorted(passages, key=lambda each: each.start_s - each.stop_s)[:MOST_PASSAGES]
    lines = [
        f"{song}: {spoken_of(curve.label)} in {percent(curve.vocal_share)} of {clock(curve.duration_s)} "
        f"({_called(curve)})",
        *_warning_lines(curve.warnings),
        *(
            f"  {clock(each.start_s):>6} - {clock(each.stop_s)}"
            for each in sorted(longest, key=lambda each: each.start_s)
        ),
    ]
    if len(passages) > len(longest):
        lines.append(f"  and {len(passages) - len(longest)} shorter passages")
    return "\n".join([*lines, _bundle_line(curve.bundle)])


def _called(curve: Curve) -> str:
    """When a frame is called what it is."""
    if len(curve.labels):
        means = ", ".join(f"{label} {mean:.2f}" for label, mean in curve.mean_probability.items())
        return f"on average {means}"
    return f"{curve.label} from {curve.threshold:.2f}"


def track_text(track: Track, *, song: str) -> str:
    """Where which label is given, what was explained, and which explanations are to be trusted most and least."""
    summary = track.summary
    segments = summary.segments
    longest = sorted(segments, key=lambda each: each.start_s - each.end_s)[:MOST_PASSAGES]
    lines = [
        f"{song}: {spoken_of(track.curve.label)} in {percent(track.curve.vocal_share)} of "
        f"{clock(track.end_s - track.start_s)} ({track.begun.decided_by})",
        *_warning_lines(summary.warnings),
        *(_segment_line(each) for each in sorted(longest, key=lambda each: each.start_s)),
    ]
    if len(segments) > len(longest):
        lines.append(f"  and {len(segments) - len(longest)} shorter segments")
    lines += ["", _explained_line(track)]
    for name, moments in (("most", summary.most_trustworthy), ("least", summary.least_trustworthy)):
        if moments:
            named = ", ".join(f"{clock_exact(each.at_s)} {each.label}" for each in moments[:MOST_MOMENTS])
            lines.append(f"  to be trusted {name}: {named}")
    if not summary.complete:
        lines.append(f"time ran out at {clock(summary.heard_until_s)}: all of this is of what was heard until then")
    return "\n".join([*lines, _bundle_line(track.begun.bundle)])


def _segment_line(segment: Segment) -> str:
    held = (
        segment.trust and segment.trust.tried and f", {segment.trust.held} of {segment.trust.tried} explanations hold"
    )
    where = f"{clock_exact(segment.start_s):>8} - {clock_exact(segment.end_s):8}"
    return f"{where} {segment.label:13} {percent(segment.mean_confidence):>9}{held or ''}"


def _explained_line(track: Track) -> str:
    summary, rule = track.summary, track.begun.rule
    if not summary.explained:
        return "no moment was explained"
    if summary.share_held is None:
        return f"{summary.explained} moments explained by {rule}; nothing was tried on their regions"
    held = f"{summary.held} hold ({percent(summary.share_held)}, trust {track.begun.trust_level})"
    return f"{summary.explained} moments explained by {rule}; of {summary.tried} explanations tried, {held}"


def bundle_text(bundle: Bundle) -> str:
    """What a service is serving."""
    lines = [
        f"{bundle.name}  (SHA-256 {bundle.digest})",
        f"front-end: {bundle.sample_rate_hz} Hz, a frame of {bundle.frame_samples} samples "
        f"every {bundle.hop_samples}, {len(bundle.band_centre_hz)} mel bands",
        f"excerpt: {bundle.excerpt_frames} frames",
        f"vocal from {bundle.threshold:g}",
        "explains by: " + ", ".join(f"{each.name} (alpha {each.default_alpha:g})" for each in bundle.rules),
        _exchange_line(bundle.exchange),
        "layers:",
        *(f"  {each.name:8}{' x '.join(map(str, each.shape)):16}{_inverted(each)}".rstrip() for each in bundle.layers),
        *(["can be heard:"] if bundle.audible else []),
        *(f"  {each.network:9}{_audible_layers(each)}" for each in bundle.audible),
        *(["listeners:"] if bundle.listeners else []),
        *(f"  {_listener(each)}" for each in bundle.listeners),
        "measured:",
        *(f"  {name}: {value:.4g}" for name, value in bundle.metrics.items()),
        "trained on:",
        *(f"  {each.name} ({each.licence})" for each in bundle.training_data),
        f"made by: {bundle.command}",
    ]
    return "\n".join(lines)


def _listener(listener: Listener) -> str:
    rules = ", ".join(each.name for each in listener.rules)
    asked = ", ".join(listener.rpcs)
    return f"{listener.name:9}{', '.join(listener.labels)} ({listener.decision}), explained by {rules}; {asked}"


def _warning_lines(warnings: Sequence[SoundWarning]) -> list[str]:
    return [f"warning: {warning(each)}: {each.sentence}" for each in warnings]


def _audible_layers(network: AudibleNetwork) -> str:
    return ", ".join(f"{name} (features 0 to {features - 1})" for name, features in network.layers.items())


def _exchange_line(bank: ExchangeBank | None) -> str:
    if bank is None:
        return "exchanges regions with no other music: evidence is by mean fill alone"
    return f"exchanges regions with {bank.excerpts} excerpts of each answer ({bank.licence})"


def _inverted(layer: Layer) -> str:
    return "can be inverted" if layer.invertible else ""


def _bundle_line(bundle: BundleReference) -> str:
    return f"bundle {bundle.name} ({bundle.digest[:DIGEST_CHARACTERS]})"

"""How far the answer itself is to be doubted, whatever explains it."""

from __future__ import annotations

from phonoscope_client.results.explanation import Doubt, Trust
from phonoscope_client.results.track import TrackTrust
from phonoscope_client.results.verdict.finding import Finding
from phonoscope_client.results.wording import percent

_FOREIGN = "Do not lean on this answer, nor on its explanation: the sound is foreign to the networks."
_UNSURE = "Do not lean on this answer, nor on its explanation: it may well be wrong."
_MISFIT = "Do not lean on this explanation: the inversion behind it does not fit this excerpt."
ALIKE = 0.5  # a chance of one half and more is no longer the exception


def headline(trust: Trust | TrackTrust) -> str:
    """The first thing to be said of what is out of distribution."""
    if trust.doubt is None:
        return _MISFIT
    return _FOREIGN if trust.doubt.foreign >= trust.doubt.wrong else _UNSURE


def finding(trust: Trust | TrackTrust) -> Finding:
    """What the detector's features say; of a bundle that cannot tell, how well the inversion fits."""
    return _misfit(trust) if trust.doubt is None else _chances(trust.doubt, flagged=trust.out_of_distribution)


def _chances(doubt: Doubt, *, flagged: bool) -> Finding:
    text = (
        f"Such an answer is wrong with a chance of {percent(doubt.wrong)}, such sound is foreign to the networks with "
        f"{percent(doubt.foreign)}: more doubt than about {percent(doubt.percentile)} of the validation excerpts"
    )
    if flagged:
        return Finding("weakens", f"{text}, and out of distribution.")
    return Finding("weakens" if doubt.doubt >= ALIKE else "neutral", f"{text}.")


def _misfit(trust: Trust | TrackTrust) -> Finding:
    if not trust.reconstruction_error:
        return Finding("neutral", "How far such an answer is to be doubted, the bundle cannot tell.")
    rank = percent(trust.reconstruction_percentile)
    text = f"The inversion misses this excerpt by more than it misses {rank} of the excerpts it was validated on"
    if trust.out_of_distribution:
        return Finding("weakens", f"{text}: the bundle does not know such sound.")
    return Finding("neutral", f"{text}, which is within its usual range.")

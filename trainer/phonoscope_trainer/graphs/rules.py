"""The alpha at which each rule of explanation keeps a bin, unless it is told another."""

from __future__ import annotations

PAPER_ALPHA = 0.6  # EUSIPCO 2018, section III.C
# Where each rule's relevance is cut unless told otherwise; the first that there is, is served by default. The
# gradient's ½ is neutral: at 0.6 a bin speaks for the label a fifth as much as the one that does most.
# Of the tagger, whose magnitudes are linear: the loudest bins tower over the rest, and ½ is near. Half of the regions
# that this cuts out of rendered songs cover more than a fifth of a clip.
TAGGER_ALPHA = 0.505
ALPHAS = {"masker": 0.5, "gradient": 0.6, "inversion": PAPER_ALPHA}
# Of any listener, of which nothing is known.
LISTENER_ALPHAS = {"masker": 0.5, "gradient": 0.6, "occlusion": 0.6, "inversion": 0.6}

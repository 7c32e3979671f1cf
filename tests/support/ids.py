"""Names of cases: what they are given, but no whole recordings."""

LONGEST = 80  # characters


def brief(value):
    """The value as text, cut where it goes on for long: a name is printed, and sent between workers, many times."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

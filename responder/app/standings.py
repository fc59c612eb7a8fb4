"""Which entries may be sent by a machine, by how often they were wrong."""

from collections.abc import Mapping

from responder.config import Config
from responder.triage.trial import NEVER, Standing

Judged = Mapping[str, tuple[int, int]]
"""Of each entry, how many answers people judged, and how many of them wrong."""


def unproven_of(config: Config, tried: Mapping[str, Standing], judged: Mapping[str, Standing]) -> frozenset[str]:
    """The entries that no machine sends.

    Where the floor was found by trial, an entry has to prove itself. Where somebody set it, every entry answers until
    people's judgements alone prove it wrong too often.
    """
    triage = config.triage
    if tried and triage.floor is None:
        whole = ((entry, standing + judged.get(entry, NEVER)) for entry, standing in tried.items())
        return frozenset(entry for entry, one in whole if one.wrong_at_most(triage.delta) > triage.entry_alpha)
    refuted = (entry for entry, one in judged.items() if one.wrong_at_least(triage.delta) > triage.entry_alpha)
    return frozenset(refuted)

"""A venue's list of instruments."""

from typing import Final

import msgspec

from engine.core.inputs.kind import Answers, Input, Kind
from engine.core.middle import Middle
from engine.domain.holdings import Capital
from engine.ports import InputKind, Listed


class InstrumentList(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's list, and what its settings make of it.

    Attributes:
        capital: paper money that the places at the venue are to start with.
    """

    listed: list[Listed]
    capital: list[Capital]


def _take(core: Middle, given: Input[InstrumentList]) -> Answers:
    stream, payload = given.stream, given.payload
    rows, is_changed = core.rows.take(stream, payload.listed, payload.capital, given.at_ns)
    actions = core.feeds[stream].listed(rows, given.at_ns)
    if is_changed:
        core.pipeline.rows_changed(given.at_ns)
    return {stream: actions}


LISTED: Final = Kind(number=InputKind.LISTED, name="listed", payload=InstrumentList, take=_take)

"""What the operator has set, as a whole."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from engine.domain.delays import Delayed
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.domain.switched_off import Off, PlaceKind


class OperatorSet(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator has set: stored as a whole, so that the newest record is all of it."""

    mode: Mode
    is_paused: bool
    limits: Mapping[str, Decimal]
    delayed: tuple[Delayed, ...]
    off: tuple[Off, ...]
    fees: Mapping[VenueId, FeeWord]

    @property
    def off_keys(self) -> set[tuple[PlaceKind, str]]:
        """What is off, by kind and name."""
        return {one.key for one in self.off}

    def with_(
        self,
        *,
        mode: Mode | None,
        is_paused: bool | None,
        limits: Mapping[str, Decimal] | None,
        delayed: tuple[Delayed, ...] | None,
        off: tuple[Off, ...] | None,
        fees: Mapping[VenueId, FeeWord] | None,
    ) -> "OperatorSet":
        """Return it with what is given; None leaves things as they are."""
        return OperatorSet(
            mode=self.mode if mode is None else mode,
            is_paused=self.is_paused if is_paused is None else is_paused,
            limits=self.limits if limits is None else limits,
            delayed=self.delayed if delayed is None else delayed,
            off=self.off if off is None else off,
            fees=self.fees if fees is None else fees,
        )

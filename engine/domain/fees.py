"""What the operator says of a venue's fee while the engine runs."""

from decimal import Decimal

import msgspec


class FeeWord(msgspec.Struct, frozen=True, kw_only=True):
    """A taker fee as the operator set it.

    Attributes:
        instead_of_bps: what the settings said then. If they say another fee by now, somebody has
            looked at it since: then the higher of the two holds.
    """

    bps: Decimal
    instead_of_bps: Decimal
    since_ns: int

    def in_force(self, by_settings: Decimal) -> Decimal:
        """Return the fee that holds."""
        return self.bps if by_settings == self.instead_of_bps else max(self.bps, by_settings)


def fee_words(venue: str, bps: Decimal | None) -> str:
    """Name a change of a fee; without a figure it is that of the settings."""
    return f"fee {venue} by the settings" if bps is None else f"fee {venue} {bps:f} bps"

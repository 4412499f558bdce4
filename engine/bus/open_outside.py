"""What of ours is open outside, as those say who place orders and send transactions."""

import msgspec


class OpenAtVenue(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of ours at one venue that are not over.

    Attributes:
        open_count: of all of them; `unknown_count` of those whose outcome is unknown.
        compared_at_ns: when the venue's account was compared last with what is written; 0 before.
    """

    venue: str
    open_count: int
    unknown_count: int
    compared_at_ns: int


class OpenOutside(msgspec.Struct, frozen=True, kw_only=True):
    """What is open at venues and on chains.

    Attributes:
        venues: at which orders may be placed; None where none may be by this engine.
        venues_why_not: why that cannot be told; empty where it can.
        transactions: under way; None where none may be sent by this engine.
        transactions_why_not: why that cannot be told; empty where it can.
    """

    venues: tuple[OpenAtVenue, ...] | None = None
    venues_why_not: str = ""
    transactions: int | None = None
    transactions_why_not: str = ""

    @property
    def is_known(self) -> bool:
        """Say whether all could be asked that there is to ask."""
        return not (self.venues_why_not or self.transactions_why_not)

    @property
    def is_nothing(self) -> bool:
        """Say whether nothing is open of what could be asked."""
        return not self.transactions and not any(one.open_count for one in self.venues or ())


ON_PAPER = OpenOutside()
"""Nothing can be placed or sent by this engine, so that there is nobody to ask."""

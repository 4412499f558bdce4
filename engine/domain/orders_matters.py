"""What a person is told of orders at venues beside their ends."""

from enum import StrEnum


class TradingMatter(StrEnum):
    """Which kind of thing it is."""

    UNKNOWN = "unknown"
    """What became of an order is not known for long."""
    DIFFERENCE = "difference"
    """A venue shows something else than is written here."""
    HALTED = "halted"
    """No order is sent to a venue any more, until a person has looked."""
    BALANCE = "balance"
    """A venue's account holds something else than our orders come to."""
    REVERSED = "reversed"
    """A venue took a trade back."""
    RESTING = "resting"
    """An order rests that should not, or somebody else's does."""
    KEY = "key"
    """A key is refused, or may do more than it should."""
    OTHER = "other"

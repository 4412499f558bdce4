"""The two ways in which an exchange through ccxt fails."""

from engine.domain.errors import TransientError
from engine.domain.faults import Fault


class LostError(TransientError):
    """An exchange that cannot be followed now, with the fault that it counts as."""

    def __init__(self, fault: Fault, why: str) -> None:
        super().__init__(why)
        self.fault = fault


class UnservedError(TransientError):
    """A symbol that the exchange does not serve."""

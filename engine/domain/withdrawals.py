"""What is asked of a venue that sends money away, and what it shows of that and of what came in."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId


class WithdrawalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal as it is asked of its venue.

    Attributes:
        wire_id: our own id for it: a UUID, found again after any restart.
        venue: that sends it.
        to: where it goes.
        amount: that leaves the account, with the venue's fee, in the destination's asset.
        named: what the venue calls the address, where it knows addresses by names alone.
    """

    wire_id: str
    venue: VenueId
    to: Destination
    amount: Decimal
    named: str = ""

    @property
    def asset(self) -> AssetCode:
        """What is withdrawn."""
        return self.to.asset


class WithdrawalStage(StrEnum):
    """Where a venue shows a withdrawal."""

    PENDING = "pending"
    SENT = "sent"
    """On its chain, as far as the venue says."""
    BACK = "back"
    """Rejected, cancelled or failed at the venue: the money is on the account again."""


class WithdrawalShown(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal as its venue lists it.

    Attributes:
        venue_id: the venue's own id.
        wire_id: ours, empty where the venue keeps none.
        amount, fee: as the venue lists them; whether the one holds the other differs, see `is_of`.
        tx_id: of its chain, empty while there is none.
        at_ms: when it was asked for, by the venue's clock.
        why: in the venue's words, where it came back.
    """

    venue_id: str
    asset: AssetCode
    address: str
    amount: Decimal
    fee: Decimal
    stage: WithdrawalStage
    at_ms: int
    wire_id: str = ""
    tx_id: str = ""
    why: str = ""

    def is_of(self, request: WithdrawalRequest) -> bool:
        """Say whether it is what was asked; the fee is within what was asked or beside it."""
        return (
            (not self.wire_id or self.wire_id == request.wire_id)
            and (self.asset, self.address.lower()) == (request.asset, request.to.address.lower())
            and request.amount in {self.amount, exact_sum((self.amount, self.fee))}
        )


class DepositShown(msgspec.Struct, frozen=True, kw_only=True):
    """What came to an account, as its venue lists it.

    Attributes:
        amount: that was credited.
        is_credited: it is on the account and may be used there.
        tx_id: of its chain.
    """

    venue_id: str
    asset: AssetCode
    address: str
    amount: Decimal
    tx_id: str
    is_credited: bool
    at_ms: int


def is_same_transaction(one: str, other: str) -> bool:
    """Say whether two venues name the same transaction: with 0x or without, in any case."""
    return bool(one) and _bare(one) == _bare(other)


_PREFIX: Final = "0x"


def _bare(tx_id: str) -> str:
    return tx_id.lower().removeprefix(_PREFIX)

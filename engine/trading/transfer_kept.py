"""What is known of a transfer, as it is kept on disk, and what it does to its venues' books."""

from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.transfer_life import ENDED, Part, SendState, TransferLife
from engine.domain.transfers import TransferNews, withdrawal_id_of
from engine.domain.withdrawals import WithdrawalRequest

_ZERO: Final = Decimal(0)


class SendFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one of its two sends.

    Attributes:
        intended_ms: when it was made durable (wall clock): it cannot have left before.
        named: what its source calls the address.
        venue_id: the source's own id, `tx_id` its chain's; empty while they are not known.
        fee: as the source lists it.
        is_taken: the source lists it: its amount has left the account.
        unknown_since_ns: since when nobody knows what became of it; 0 if that is known.
        why: in words, where it did not go as it was asked.
    """

    intended_ms: int
    named: str = ""
    venue_id: str = ""
    tx_id: str = ""
    fee: Decimal = _ZERO
    is_taken: bool = False
    unknown_since_ns: int = 0
    why: str = ""


class KeptTransfer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transfer that was taken on.

    Attributes:
        life: how far it has come.
        engine: whose it is, `by` who allowed it, `taken_on_ns` when (wall clock).
        facts: of its sends.
        why: why it was cancelled, or ended before its time.
        ended_ns: when it ended; 0 before it has.
        news: that were told, oldest first.
    """

    life: TransferLife
    engine: str
    by: str
    taken_on_ns: int
    facts: dict[Part, SendFacts] = {}
    why: str = ""
    ended_ns: int = 0
    news: tuple[TransferNews, ...] = ()

    @property
    def transfer_id(self) -> str:
        """Its id."""
        return self.life.order.transfer_id

    @property
    def source(self) -> VenueId:
        """Where it leaves."""
        return self.life.order.source

    @property
    def target(self) -> VenueId:
        """Where it goes."""
        return self.life.order.destination.venue

    @property
    def asset(self) -> AssetCode:
        """What is transferred."""
        return self.life.order.asset

    @property
    def due_ns(self) -> int:
        """From when on it may be sent."""
        return self.life.approved_at_ns + self.life.order.delay_ns

    @property
    def unknown_since_ns(self) -> int:
        """Since when what became of a send of it is not known; 0 if all is."""
        return max((one.unknown_since_ns for one in self.facts.values()), default=0)


def copy_of(kept: KeptTransfer) -> KeptTransfer:
    """Return it with a life of its own, which may be led on."""
    return msgspec.json.decode(msgspec.json.encode(kept), type=KeptTransfer)


def with_facts(kept: KeptTransfer, part: Part, **changes: object) -> KeptTransfer:
    """Return it with other facts of a send."""
    facts = msgspec.structs.replace(kept.facts[part], **changes)
    return msgspec.structs.replace(kept, facts={**kept.facts, part: facts})


def request_of(kept: KeptTransfer, part: Part) -> WithdrawalRequest:
    """Return what is asked of the source for a send."""
    order = kept.life.order
    return WithdrawalRequest(
        wire_id=withdrawal_id_of(order.transfer_id, part, engine_id=kept.engine),
        venue=order.source,
        to=order.destination,
        amount=kept.life.sends[part].amount,
        named=kept.facts[part].named,
    )


def booked(kept: KeptTransfer) -> dict[VenueId, Decimal]:
    """Return by venue what it is known to have moved of its asset: out of one, into the other."""
    out, into = [], []
    for part, send in kept.life.sends.items():
        if kept.facts[part].is_taken:
            out.append(send.amount.copy_negate())
            if send.state is SendState.FAILED:
                out.append(send.returned)
        into.append(send.credited)
    return {kept.source: exact_sum(out), kept.target: exact_sum(into)}


def swing(kept: KeptTransfer) -> dict[VenueId, tuple[Decimal, Decimal]]:
    """Return by venue how far off what is booked its asset may be now, down and up.

    A send that is not known to have been taken may have left; one that was may be back; and what
    has left may be credited before anybody has read that.
    """
    down, back, up = [_ZERO], [_ZERO], [_ZERO]
    for part, send in kept.life.sends.items():
        if send.state in ENDED:
            continue
        up.append(send.amount)
        if kept.facts[part].is_taken:
            back.append(send.amount)
        else:
            down.append(send.amount.copy_negate())
    return {
        kept.source: (exact_sum(down), exact_sum(back)),
        kept.target: (_ZERO, exact_sum(up)),
    }

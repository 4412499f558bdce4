"""The life of one transfer: decided by a person, tried with a little of it, then sent, each once.

Two tables say what follows from what is learned: one of the decision, one of a send. A transfer has
two sends at the most, a test and the rest; the rest is made once the test is credited where it was
to go, and no send is ever made twice. Whether one that got no clear answer was taken is found out
by proof alone: its venue shows it, it is credited or comes back, or it is proven absent. Until then
it counts as under way, and what is under way is neither at its source nor at its target.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination
from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId

_ZERO: Final = Decimal(0)


class Decision(StrEnum):
    """How far the word of a person has come."""

    PROPOSED = "proposed"
    DELAYED = "delayed"
    """Approved; it may be taken back until its delay is over, and later stops what is not sent."""
    DUE = "due"
    CANCELLED = "cancelled"


class DecisionEvent(StrEnum):
    """What may become of it."""

    APPROVED = "approved"
    WAITED = "waited"
    CANCELLED = "cancelled"


DECIDING: Final[Mapping[Decision, Mapping[DecisionEvent, Decision]]] = {
    Decision.PROPOSED: {
        DecisionEvent.APPROVED: Decision.DELAYED,
        DecisionEvent.CANCELLED: Decision.CANCELLED,
    },
    Decision.DELAYED: {
        DecisionEvent.WAITED: Decision.DUE,
        DecisionEvent.CANCELLED: Decision.CANCELLED,
    },
    Decision.DUE: {DecisionEvent.CANCELLED: Decision.CANCELLED},
    Decision.CANCELLED: {},
}


class SendState(StrEnum):
    """Where a send is."""

    INTENDED = "intended"
    """Durable; nothing has left."""
    SENT = "sent"
    UNKNOWN = "unknown"
    ARRIVED = "arrived"
    FAILED = "failed"


class SendEvent(StrEnum):
    """What may be learned of a send.

    `WITHHELD`: it is not going to be released. `RELEASED`: the request leaves. `REFUSED`: a
    definite answer that it was not taken. `UNCLEAR`: an answer whose meaning is not known, none in
    time, or a restart after the intent was durable. `SHOWN`: its venue lists it. `CREDITED`: it is
    at its target and may be used there. `RETURNED`: it came back. `ABSENT`: it is proven that the
    venue never took it.
    """

    WITHHELD = "withheld"
    RELEASED = "released"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    SHOWN = "shown"
    CREDITED = "credited"
    RETURNED = "returned"
    ABSENT = "absent"


SENDING: Final[Mapping[SendState, Mapping[SendEvent, SendState]]] = {
    SendState.INTENDED: {
        SendEvent.WITHHELD: SendState.FAILED,
        SendEvent.RELEASED: SendState.SENT,
        SendEvent.UNCLEAR: SendState.UNKNOWN,
    },
    SendState.SENT: {
        SendEvent.REFUSED: SendState.FAILED,
        SendEvent.UNCLEAR: SendState.UNKNOWN,
        SendEvent.CREDITED: SendState.ARRIVED,
        SendEvent.RETURNED: SendState.FAILED,
    },
    # A refusal does not end it: it may answer another request than the one that was taken.
    SendState.UNKNOWN: {
        SendEvent.SHOWN: SendState.SENT,
        SendEvent.CREDITED: SendState.ARRIVED,
        SendEvent.RETURNED: SendState.FAILED,
        SendEvent.ABSENT: SendState.FAILED,
    },
    SendState.ARRIVED: {},
    SendState.FAILED: {},
}
"""State, event and the state after it; any other event leaves the state as it is."""

ENDED: Final = frozenset({SendState.ARRIVED, SendState.FAILED})
_SEEN: Final = frozenset({SendEvent.SHOWN, SendEvent.CREDITED, SendEvent.RETURNED})


class Part(StrEnum):
    """Which of the two sends."""

    TEST = "test"
    REST = "rest"


@dataclass(slots=True, kw_only=True)
class Send:
    """One withdrawal.

    Attributes:
        amount: that leaves the source, with the venue's fee.
        credited: what came of it at the target.
        returned: what came back of it, all of it where it never left.
        is_shown: its venue has listed it: a refusal that comes later is of another request.
    """

    amount: Decimal
    state: SendState = SendState.INTENDED
    credited: Decimal = _ZERO
    returned: Decimal = _ZERO
    is_shown: bool = False

    @property
    def under_way(self) -> Decimal:
        """What is neither at the source nor at the target."""
        return _ZERO if self.state in ENDED else self.amount

    @property
    def cost(self) -> Decimal:
        """What was kept of it on the way; 0 until it has ended."""
        if self.state not in ENDED:
            return _ZERO
        return exact_sum((self.amount, -self.credited, -self.returned))


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOrder:
    """What a person is asked for.

    Attributes:
        amount: in all, with the test, in `asset`.
        test_amount: sent first, at most all of it.
        delay_ns: between the approval and the test.
    """

    transfer_id: str
    asset: AssetCode
    source: VenueId
    destination: Destination
    amount: Decimal
    test_amount: Decimal
    delay_ns: int

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out.

        Raises:
            BadValueError: an amount or the delay is out of bounds, or the address is of another
                asset or of the source itself.
        """
        if not (self.amount.is_finite() and self.test_amount.is_finite()):
            raise BadValueError("a transfer has an amount")
        if not 0 < self.test_amount <= self.amount:
            raise BadValueError(f"a test of {self.test_amount:f} out of {self.amount:f}")
        if self.delay_ns < 0:
            raise BadValueError(f"a delay of {self.delay_ns} ns")
        if self.destination.asset != self.asset or self.destination.venue == self.source:
            raise BadValueError(
                f"{self.asset} of {self.source} cannot go to the address for"
                f" {self.destination.asset} at {self.destination.venue}"
            )


@dataclass(slots=True, kw_only=True)
class TransferLife:
    """A transfer and all that is known of it.

    Attributes:
        alarms: what a person has to look at, in sentences; empty if all is well.
    """

    order: TransferOrder
    decision: Decision = Decision.PROPOSED
    approved_at_ns: int = 0
    sends: dict[Part, Send] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)

    def decide(self, event: DecisionEvent, at_ns: int) -> None:
        """Take over what became of the decision; that it waited counts once its delay is over."""
        if event is DecisionEvent.WAITED and at_ns < self.approved_at_ns + self.order.delay_ns:
            return
        was = self.decision
        self.decision = DECIDING[was].get(event, was)
        if self.decision is Decision.DELAYED and was is not self.decision:
            self.approved_at_ns = at_ns

    @property
    def next_part(self) -> Part | None:
        """Which send may be made durable now, None for none."""
        if self.decision is not Decision.DUE:
            return None
        test = self.sends.get(Part.TEST)
        if test is None:
            return Part.TEST
        is_tested = test.state is SendState.ARRIVED
        is_more = self.order.test_amount < self.order.amount
        return Part.REST if is_tested and is_more and Part.REST not in self.sends else None

    def intend(self, part: Part) -> Send:
        """Begin a send, before it is made durable and released.

        Raises:
            BadValueError: it is not its turn, or it was begun before.
        """
        if part is not self.next_part:
            raise BadValueError(f"the {part} of {self.order.transfer_id} cannot be sent now")
        test = self.order.test_amount
        amount = test if part is Part.TEST else exact_sum((self.order.amount, -test))
        return self.sends.setdefault(part, Send(amount=amount))

    def learn(self, part: Part, event: SendEvent, amount: Decimal | None = None) -> None:
        """Take over what is learned of a send; the same twice changes nothing.

        Args:
            part: which send.
            event: what was learned.
            amount: that was credited or came back.
        """
        send = self.sends.get(part)
        if send is None or (send.state is SendState.INTENDED and event in _SEEN):
            self._alarm(f"its {part} is {event}, and was never sent")
            return
        if event in {SendEvent.REFUSED, SendEvent.ABSENT} and send.is_shown:
            if event is SendEvent.ABSENT:
                self._alarm(f"its {part} was shown, and is said to be {event}")
            return
        if event in {SendEvent.CREDITED, SendEvent.RETURNED} and (
            amount is None or not amount.is_finite() or not 0 < amount <= send.amount
        ):
            self._alarm(f"{amount} of its {part} of {send.amount:f} is {event}")
            return
        was = send.state
        if was in ENDED and event in _SEEN and _is_news(send, event, amount):
            self._alarm(f"its {part} has {was}, and is now {event}")
        if was not in ENDED:
            send.is_shown |= event in _SEEN
        send.state = SENDING[was].get(event, was)
        if send.state is was:
            return
        if send.state is SendState.ARRIVED:
            send.credited = amount or _ZERO
        elif send.state is SendState.FAILED:
            send.returned = send.amount if amount is None else amount

    @property
    def under_way(self) -> Decimal:
        """What is neither at the source nor at the target."""
        return exact_sum(send.under_way for send in self.sends.values())

    @property
    def is_ended(self) -> bool:
        """Whether nothing more is to come of it."""
        if any(send.state not in ENDED for send in self.sends.values()):
            return False
        if self.decision in {Decision.PROPOSED, Decision.DELAYED}:
            return False
        return self.next_part is None

    @property
    def state(self) -> str:
        """Where it is, in words."""
        for part in (Part.REST, Part.TEST):
            if (send := self.sends.get(part)) is not None:
                name = "" if part is Part.REST else f"{part} "
                is_whole = part is Part.REST or self.order.test_amount == self.order.amount
                if send.state is SendState.ARRIVED and not is_whole and self.is_ended:
                    return "cancelled after its test"
                return send.state if is_whole else f"{name}{send.state}"
        return "approved" if self.decision is Decision.DUE else self.decision

    def _alarm(self, what: str) -> None:
        if what not in self.alarms:
            self.alarms.append(what)


def _is_news(send: Send, event: SendEvent, amount: Decimal | None) -> bool:
    """Say whether what is learned of a send that has ended is not what it ended with."""
    if event is SendEvent.SHOWN:
        return send.state is SendState.FAILED and not send.is_shown
    if event is SendEvent.CREDITED:
        return send.state is SendState.FAILED or send.credited != amount
    return send.state is SendState.ARRIVED or send.returned != amount

"""What a venue says, as the suite of gateways wants it: one such sample a venue."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.instruments import VenueId
from engine.domain.opportunities import Side
from engine.domain.venue_orders import BalanceShown, OrderRequest, TimeInForce, wire_id_of
from engine.gateways.answers import Stop
from engine.gateways.gateway import Gateway
from engine.signing.venue_auth.auth import Authentication


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of the venue."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A venue's answers to one order, a buy of 0.5 at 64,000 that may not rest.

    Attributes:
        auth, secret: a key that no account ever had.
        wire_name: of the instrument of the order.
        written: what must stand in the signed placing, wherever the venue wants it.
        written_post_only: likewise of an order that may only rest.
        taken: answers that the order was placed; `{wire_id}` stands for our id in all of them.
        filled_base: by the trades or the total of the first of these, None if it says neither.
        refused: definite refusals, with what has to stop.
        unclear: answers that prove nothing, apart from what proves nothing at any venue.
        found: answers to the first look-up that show the order filled for 0.3 and ended.
        not_found: answers to each look-up, in turn, that show no such order.
        balances: an answer and what it says.
        may_withdraw, may_not_withdraw: answers on the key's rights, None where there are none.
        stream: frames that tell one fill of 0.3 of the order, with trade id 77.
        cancel_vain: answers to a cancellation of what is not there.
        stream_answers: to those calls that open the user stream and are asked over HTTP.
    """

    gateway: Gateway
    auth: Authentication
    secret: str
    wire_name: str
    written: Sequence[str]
    written_post_only: Sequence[str]
    taken: Sequence[Answer]
    filled_base: Decimal | None
    refused: Sequence[tuple[Answer, Stop | None]]
    unclear: Sequence[Answer]
    found: Sequence[Answer]
    not_found: Sequence[Answer]
    balances: tuple[Answer, Sequence[BalanceShown]]
    may_withdraw: Answer | None
    may_not_withdraw: Answer | None
    stream: Sequence[bytes]
    cancel_taken: Answer
    cancel_vain: Sequence[Answer]
    stream_answers: Sequence[Answer] = ()

    @property
    def request(self) -> OrderRequest:
        """The order that all of it is about."""
        return self.asked()

    def asked(
        self, time_in_force: TimeInForce = TimeInForce.IMMEDIATE_OR_CANCEL, number: int = 1
    ) -> OrderRequest:
        """Return the order with another life, or another number."""
        return OrderRequest(
            wire_id=wire_id_of(f"p1-o{number}", engine_id="main"),
            venue=VenueId(self.gateway.venue),
            wire_name=self.wire_name,
            side=Side.BUY,
            size_base=Decimal("0.5"),
            price_limit=Decimal("64000.1"),
            time_in_force=time_in_force,
            sent_before_ms=1_790_000_010_000,
        )

    def about(self, answer: Answer, number: int = 1) -> Answer:
        """Return an answer as the venue gives it for the order of that number."""
        wire_id = self.asked(number=number).wire_id
        return Answer(
            status=answer.status, body=answer.body.replace(b"{wire_id}", wire_id.encode())
        )

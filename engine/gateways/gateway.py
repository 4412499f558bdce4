"""What a venue's private half is: functions that make calls and read answers, and its rules.

A gateway has no state, no clock and no way out. Who signs calls is `engine.signing`; who sends them
and follows orders to their proven end is `engine.trading`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.domain.instruments import VenueId
from engine.domain.venue_orders import (
    BalanceShown,
    FeeShown,
    KeyRights,
    OrderRequest,
    OrderShown,
    TradeShown,
)
from engine.gateways.answers import (
    CancelAnswer,
    LookUpAnswer,
    Page,
    PlaceAnswer,
    Unclear,
)
from engine.gateways.calls import Call
from engine.gateways.stream import UserStream


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRules:
    """By what an order of unknown outcome may end at a venue.

    Attributes:
        is_replay_harmless: the very same body may be sent again: the venue answers with the order
            that there is, or makes the one that it never had.
        is_fenced: once a later call of the same key was answered, none that was signed before it
            can be taken any more. So calls of one key go one after the other.
        late_ms_max: after this, counted from the moment of signing, a call cannot be taken any
            more, whether or not it is fenced.
        lag_ms_max: what the venue has done is shown by its look-ups after so long at the latest.
        shows_closed: a look-up by our id finds orders that have ended, too.
        absences_min: look-ups in a row that must find nothing, after the time above.
    """

    is_replay_harmless: bool
    is_fenced: bool
    late_ms_max: int
    lag_ms_max: int
    shows_closed: bool
    absences_min: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much may be asked of a venue.

    Attributes:
        weight_per_s, weight_burst: of all private calls together.
        orders_per_s, orders_burst: of calls that place orders, which count there too.
        kept_for_orders: of the weight so much is left by whatever only asks: an order weighs it.
    """

    weight_per_s: float
    weight_burst: float
    orders_per_s: float
    orders_burst: float
    kept_for_orders: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadMan:
    """A switch of the venue's own that cancels what rests when nothing is heard from us.

    Attributes:
        renew_s: how often it is held off.
        fires_s: after how long of silence it fires.
        call: holds it off.
        is_of_account: it cancels all that rests on the account, whoever placed it.
    """

    renew_s: float
    fires_s: float
    call: Callable[[], Call]
    is_of_account: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamGap:
    """Something was missed, or could not be read: what is under way has to be looked up."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReady:
    """From here on the stream tells everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamNumber:
    """The number of a frame of a channel; one that does not follow on the last shows a gap."""

    channel: str
    number: int


StreamFact = StreamNumber | OrderShown | TradeShown | BalanceShown | StreamGap | StreamReady


class Gateway(UserStream, Protocol):
    """A venue's private half; one value a venue, see `gateway_list`.

    Attributes:
        venue: as in `connectors.venue_list`.
        rules: by what an outcome is proven.
    """

    venue: VenueId
    rules: ProofRules
    pace: Pace

    @property
    def dead_man(self) -> DeadMan | None:
        """The venue's switch, None where it publishes none."""
        ...

    def place(self, request: OrderRequest) -> Call:
        """Make the call that places an order."""
        ...

    def placed(self, request: OrderRequest, status: int, body: bytes) -> PlaceAnswer:
        """Read the answer to it."""
        ...

    def cancel(self, request: OrderRequest, venue_order_id: str) -> Call | None:
        """Make the call that cancels an order.

        None where the venue has to be told its own id for it, and that is not known (empty).
        """
        ...

    def cancelled(self, status: int, body: bytes) -> CancelAnswer:
        """Read the answer to it."""
        ...

    def look_ups(
        self, request: OrderRequest, venue_order_id: str, made_since_ms: int
    ) -> Sequence[Call]:
        """Make the calls that together cover an order, open or ended, with all of its trades."""
        ...

    def looked_up(
        self, request: OrderRequest, call: Call, status: int, body: bytes
    ) -> LookUpAnswer:
        """Read the answer to one of them."""
        ...

    def open_orders(self, following: str = "") -> Call:
        """Make the call that lists all open orders of the account, whoever made them."""
        ...

    def orders_page(self, call: Call, status: int, body: bytes) -> Page[OrderShown] | Unclear:
        """Read the answer to it."""
        ...

    def trades(self, wire_name: str, since_ms: int, following: str = "") -> Call:
        """Make the call that lists trades of the account from an instant on."""
        ...

    def trades_page(self, status: int, body: bytes) -> Page[TradeShown] | Unclear:
        """Read the answer to it."""
        ...

    def balances(self, following: str = "") -> Call:
        """Make the call that lists what we have."""
        ...

    def balances_page(self, status: int, body: bytes) -> Page[BalanceShown] | Unclear:
        """Read the answer to it."""
        ...

    def fees(self, wire_names: Sequence[str]) -> Sequence[Call]:
        """Make the calls that tell the fees of our tier: of these instruments and most others."""
        ...

    def fees_told(self, status: int, body: bytes) -> Sequence[FeeShown] | Unclear:
        """Read the answer to one of them."""
        ...

    def rights(self) -> Call | None:
        """Make the call that tells what the key may do; None where the venue has none."""
        ...

    def rights_told(self, status: int, body: bytes) -> KeyRights | Unclear:
        """Read the answer to it."""
        ...

    def streamed(self, frame: bytes) -> Sequence[StreamFact]:
        """Return what a frame of the user stream tells, in order.

        One that cannot be read tells that something was missed.
        """
        ...

"""Faults that the sandbox's exchanges can commit on an account, and the box in which they wait.

Those of requests hit the next `count` of their kind; those of a time hold for `duration_s` of
replay time; those of the stream hit what it tells next; the others happen at once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.units import NS_PER_S
from engine.sandbox.exchange.doors.door import Asks


class AccountFault(StrEnum):
    """What an exchange can do wrong to an account."""

    REQUEST_LOST = "request_lost"
    """A request never arrives; the connection breaks."""
    REQUEST_LATE = "request_late"
    """A request arrives only after `duration_s`."""
    ANSWER_LOST = "answer_lost"
    """What was asked is done, and the connection breaks before the answer."""
    ANSWER_LATE = "answer_late"
    """What was asked is done at once, and answered after `duration_s`."""
    ANSWER_WRONG = "answer_wrong"
    """What was asked is done, and something is answered that says nothing of it."""
    FILL_FIRST = "fill_first"
    """A placing is answered `duration_s` after the stream has told what became of it."""
    IDS_AGAIN = "ids_again"
    """A second order under an id that is in use is taken, whatever the venue's rule."""
    LAG = "lag"
    """All that is looked up is as it was when this began; nothing else is late."""
    DOWN = "down"
    """Everything is refused in the venue's words for maintenance."""
    BANNED = "banned"
    """Everything is refused in the venue's words for too many requests."""
    KEY = "key"
    """The key is revoked, may trade no more, or may withdraw from now on."""
    CLOCK = "clock"
    """The venue's clock is off by `duration_s`, from now on; 0 sets it right."""
    REVERSED = "reversed"
    """The last fill is taken back."""
    OTHERS = "others"
    """Somebody else on the account pays out, trades, or leaves an order to rest."""
    FEES = "fees"
    """The fees of the tier are others from now on: `amount`, as a share of the notional. With an
    `asset` they are taken from that, of which the account is given some."""
    STREAM_CUT = "stream_cut"
    """All user streams break."""
    STREAM_LOSES = "stream_loses"
    """The next `count` things that happen are told to nobody; numbers go on."""
    STREAM_TWICE = "stream_twice"
    """The next `count` things that happen are told twice."""
    STREAM_MUTE = "stream_mute"
    """For `duration_s` nothing at all comes down the streams, which stay open."""

    WITHDRAWAL_HELD = "withdrawal_held"
    """The next `count` withdrawals are taken, and stay pending for `duration_s` longer."""
    WITHDRAWAL_BACK = "withdrawal_back"
    """The next `count` are taken, and cancelled or failed by the venue instead of being sent."""
    WITHDRAWAL_REFUSED = "withdrawal_refused"
    """The next `count` are refused: for the address, which is not on the venue's list, or funds."""
    WITHDRAWAL_FEE = "withdrawal_fee"
    """Withdrawals of `asset` cost `amount` from now on."""
    DEPOSIT_HELD = "deposit_held"
    """The next `count` that come are shown, and credited `duration_s` later."""


FORMS: Final[Mapping[AccountFault, tuple[str, ...]]] = {
    AccountFault.ANSWER_WRONG: ("page", "cut", "shape", "banned"),
    AccountFault.KEY: ("revoked", "no_trade", "may_withdraw"),
    AccountFault.OTHERS: ("pay_out", "trade", "rest"),
    AccountFault.STREAM_CUT: ("reset", "close"),
    AccountFault.WITHDRAWAL_BACK: ("cancelled", "failed"),
    AccountFault.WITHDRAWAL_REFUSED: ("address", "funds"),
}
"""Forms of a fault; the first is the default."""

OF_REQUESTS: Final[Mapping[AccountFault, frozenset[Asks]]] = {
    AccountFault.REQUEST_LOST: frozenset({Asks.PLACE, Asks.WITHDRAW}),
    AccountFault.REQUEST_LATE: frozenset({Asks.PLACE, Asks.WITHDRAW}),
    AccountFault.ANSWER_LOST: frozenset({Asks.PLACE, Asks.CHANGE, Asks.WITHDRAW}),
    AccountFault.ANSWER_LATE: frozenset({Asks.PLACE, Asks.CHANGE, Asks.READ, Asks.WITHDRAW}),
    AccountFault.ANSWER_WRONG: frozenset({Asks.PLACE, Asks.CHANGE, Asks.WITHDRAW}),
    AccountFault.FILL_FIRST: frozenset({Asks.PLACE}),
    AccountFault.IDS_AGAIN: frozenset({Asks.PLACE}),
}
"""What hits the next requests, and those of which kinds."""

OF_A_TIME: Final = frozenset(
    {AccountFault.LAG, AccountFault.DOWN, AccountFault.BANNED, AccountFault.STREAM_MUTE}
)
OF_THE_STREAM: Final = frozenset({AccountFault.STREAM_LOSES, AccountFault.STREAM_TWICE})

OF_WITHDRAWALS: Final = frozenset(
    {
        AccountFault.WITHDRAWAL_HELD,
        AccountFault.WITHDRAWAL_BACK,
        AccountFault.WITHDRAWAL_REFUSED,
    }
)
OF_DEPOSITS: Final = frozenset({AccountFault.DEPOSIT_HELD})

COUNT_MAX: Final = 100_000
CLOCK_S_MAX: Final = 86_400.0


class ScriptedAccountFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fault of a script; it may stand among those of the markets.

    Attributes:
        at_s: replay time at which it is armed.
        count: requests or things told that it hits.
        duration_s: see `AccountFault`; below 0 for a clock that is behind.
        form: see `FORMS`; empty for the default.
        asset, amount: what is paid out; of a fee the share, and a third asset if it is from that;
            of a withdrawal's fee the asset and how much of it.
        instrument: the wire name of what somebody else trades.
    """

    at_s: float = 0.0
    venue: str
    fault: AccountFault
    count: int = 1
    duration_s: float = 1.0
    form: str = ""
    asset: str = ""
    amount: Decimal = Decimal(0)
    instrument: str = ""

    def __post_init__(self) -> None:
        forms = FORMS.get(self.fault, ())
        if self.form and self.form not in forms:
            raise ValueError(f"form {self.form!r} of {self.fault} is none of {', '.join(forms)}")
        least_s = -CLOCK_S_MAX if self.fault is AccountFault.CLOCK else 0.0
        if self.at_s < 0 or not least_s <= self.duration_s <= CLOCK_S_MAX:
            raise ValueError(f"at_s must not be negative, duration_s not beyond {CLOCK_S_MAX:g}")
        if not 1 <= self.count <= COUNT_MAX:
            raise ValueError(f"count {self.count} is not within 1 to {COUNT_MAX}")
        if not self.amount.is_finite() or self.amount < 0:
            raise ValueError(f"amount {self.amount} must not be negative")
        if self.fault is AccountFault.FEES and self.amount >= 1:
            raise ValueError(f"fees of {self.amount} of the notional")

    @property
    def variant(self) -> str:
        """The form, or the fault's default form."""
        return self.form or FORMS.get(self.fault, ("",))[0]


@dataclass(slots=True)
class _Armed:
    fault: ScriptedAccountFault
    left: int


class AccountFaults:
    """Faults of one account that wait for what they hit, or hold.

    Attributes:
        counts: those that had their effect.
    """

    def __init__(self) -> None:
        self.counts: Counter[AccountFault] = Counter()
        self._armed: list[_Armed] = []
        self._until_ns: dict[AccountFault, int] = {}

    def arm(self, fault: ScriptedAccountFault, at_ns: int) -> None:
        """Let a fault wait for its requests or for the stream, or hold for its time."""
        if fault.fault in OF_A_TIME:
            self._until_ns[fault.fault] = at_ns + int(fault.duration_s * NS_PER_S)
        else:
            self._armed.append(_Armed(fault, fault.count))

    def holds(self, fault: AccountFault, at_ns: int) -> bool:
        """Say whether a fault of a time holds now."""
        return at_ns < self._until_ns.get(fault, 0)

    def take_request(self, asks: Asks) -> dict[AccountFault, ScriptedAccountFault]:
        """Return the faults of a request, at most one of each kind."""
        return self._take(
            {kind for kind, hit in OF_REQUESTS.items() if asks in hit},
        )

    def take_told(self) -> dict[AccountFault, ScriptedAccountFault]:
        """Return the faults of something that is about to be told."""
        return self._take(set(OF_THE_STREAM))

    def take_withdrawal(self) -> dict[AccountFault, ScriptedAccountFault]:
        """Return the faults of a withdrawal that was asked for."""
        return self._take(set(OF_WITHDRAWALS))

    def take_deposit(self) -> dict[AccountFault, ScriptedAccountFault]:
        """Return the faults of what just came in."""
        return self._take(set(OF_DEPOSITS))

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._armed)

    def _take(self, kinds: set[AccountFault]) -> dict[AccountFault, ScriptedAccountFault]:
        taken: dict[AccountFault, ScriptedAccountFault] = {}
        for armed in self._armed:
            kind = armed.fault.fault
            if kind in kinds and kind not in taken:
                armed.left -= 1
                taken[kind] = armed.fault
                self.counts[kind] += 1
        self._armed = [armed for armed in self._armed if armed.left > 0]
        return taken

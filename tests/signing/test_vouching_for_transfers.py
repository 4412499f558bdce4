"""A chat vouches for a transfer whose terms it showed, before the engine hears, and takes back."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from engine.bus.reports import Declined
from engine.bus.transfer_reports import TransferTermsReport
from engine.bus.transferring import CancelTransfer, GetTransferTerms
from engine.domain.modes import Basis
from engine.domain.transfers import UNNAMED
from engine.facade.witness import KEYLESS, UNSEEN_TRANSFER
from engine.requests.transfers import BeginTransfer
from tests.signing.test_vouching import Asked
from tests.signing.withdrawals import order

TERMS = order(transfer_id=UNNAMED)
BEGIN = BeginTransfer(order=TERMS, is_confirmed=True)


class Asking(Asked):
    """A chat beside a trader that gives terms, and a signer that keeps words."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.trader = self
        self.heard: list[Any] = []
        self.signer.words.allow_transfer = lambda word, _now_ns: self.heard.append(word)

    def shows(self, **changes: Any) -> None:
        self.reply = cast("Any", TransferTermsReport(basis=Basis.SANDBOX_LIVE, order=TERMS))
        fields = {"source": "binance", "target": "kraken", "asset": "BTC", "amount": Decimal(1)}
        self.ask(GetTransferTerms(**fields | changes))  # type: ignore[arg-type]


def test_what_was_shown_is_vouched_for_under_the_commands_own_id() -> None:
    chat = Asking()
    chat.shows()
    chat.say(BEGIN)
    chat.say(BEGIN)

    first, second = chat.heard
    assert first.order.transfer_id != second.order.transfer_id
    assert replace(first.order, transfer_id=UNNAMED) == TERMS
    assert (first.by, first.engine) == ("ann", "main")


def test_what_was_not_shown_or_is_looser_is_vouched_for_by_nobody() -> None:
    chat = Asking()
    assert chat.say(BEGIN) == Declined(why=UNSEEN_TRANSFER)
    chat.shows(is_shown=False)
    assert chat.say(BEGIN) == Declined(why=UNSEEN_TRANSFER)
    chat.shows()
    more = BeginTransfer(order=replace(TERMS, amount=Decimal("1.1")), is_confirmed=True)
    assert chat.say(more) == Declined(why=UNSEEN_TRANSFER)
    assert chat.heard == []


def test_a_chat_that_shares_no_key_begins_none() -> None:
    chat = Asking(key=None)
    chat.shows()

    assert chat.say(BEGIN) == Declined(why=KEYLESS)


def test_the_first_step_of_two_allows_nothing() -> None:
    chat = Asking()
    chat.shows()
    chat.say(BeginTransfer(order=TERMS))

    assert chat.heard == []


def test_what_the_engine_declines_and_what_is_cancelled_is_taken_back() -> None:
    chat = Asking()
    chat.shows()
    chat.reply = Declined(why="killed")
    chat.say(BEGIN)
    chat.say(CancelTransfer(transfer_id="t7"))

    assert [one.transfer_id for one in chat.signer.taken_back] == [
        chat.heard[0].order.transfer_id,
        "t7",
    ]

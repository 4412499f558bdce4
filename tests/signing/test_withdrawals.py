"""A withdrawal is signed for what a person allowed, where the operator says, late, little, once."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.transfer_life import Part
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.gateways.asks import BalancesAsk, WithdrawalsAsk
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.signing.withdraw_desk import LASTS_NS
from engine.signing.withdraw_terms import UNITS
from tests.effort import examples
from tests.sandbox.exchange.funded import BTC, destination
from tests.signing.venue_intents import Signer
from tests.signing.withdrawals import DELAY_NS, TERMS, Withdrawer, intent, order, word

K = RefusalKind
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def signer(tmp_path: Path) -> Iterator[Withdrawer]:
    made = Withdrawer(tmp_path / "journal")
    yield made
    made.journal.close()


@pytest.mark.parametrize("source", ["binance", "kraken"])
def test_the_test_and_then_the_rest_of_what_a_person_allowed_are_signed(
    signer: Withdrawer, source: str
) -> None:
    made = signer.due(source=source)

    first = signer.desk.sign(intent(made))
    second = signer.desk.sign(intent(made, Part.REST))

    assert isinstance(first, VenueSigned)
    assert isinstance(second, VenueSigned)
    said = (second.calls[0].target + second.calls[0].body.decode()).replace("%3A", ":")
    assert made.destination.address in said
    assert "amount=0.9" in said


def test_nothing_is_signed_that_nobody_allowed(signer: Withdrawer) -> None:
    assert signer.kind(intent(order())) is K.PERMIT


def test_a_word_of_another_chat_or_for_another_engine_allows_nothing(signer: Withdrawer) -> None:
    with pytest.raises(BadValueError, match="seal"):
        signer.words.hear(word(order(), key=bytes(32)), signer.now_ns)
    signer.allow(order(2), engine="two")
    signer.wait()

    assert signer.kind(intent(order())) is K.PERMIT
    assert signer.kind(intent(order(2))) is K.PERMIT


@pytest.mark.parametrize(
    "other",
    [
        {"amount": Decimal("0.1001")},
        {"to": destination("kraken", "ETH", "ethereum")},
        {
            "to": structs.replace(
                destination("kraken"), address="1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
            )
        },
        {"to": structs.replace(destination("kraken"), memo="7")},
        {"venue": "kraken"},
        {"wire_id": "11111111-2222-8333-8444-555555555555"},
        {"named": "somebody-else"},
    ],
)
def test_what_is_signed_is_what_was_allowed_to_the_last_character(
    signer: Withdrawer, other: dict[str, Any]
) -> None:
    made = signer.due()

    assert signer.kind(intent(made, **other)) is K.ORDER
    assert signer.kind(intent(made)) is None


def test_an_address_that_the_operator_did_not_write_down_is_no_destination(
    signer: Withdrawer,
) -> None:
    other = structs.replace(destination("kraken"), address=destination("gemini").address)

    with pytest.raises(BadValueError, match="SYNDICATE_EXCHANGES_DESTINATIONS"):
        signer.allow(order(destination=other))


def test_an_address_that_was_taken_off_the_list_since_is_none_any_more(signer: Withdrawer) -> None:
    made = signer.due()
    signer.restart(replace(TERMS, allowed=(destination("binance"),)))

    assert signer.kind(intent(made)) is K.DESTINATION


def test_before_the_delay_is_over_and_a_day_after_it_nothing_is_signed(signer: Withdrawer) -> None:
    made = signer.allow(order())
    assert signer.kind(intent(made)) is K.DEADLINE
    signer.now_ns += DELAY_NS - 1
    assert signer.kind(intent(made)) is K.DEADLINE
    signer.restart()
    assert signer.kind(intent(made)) is K.DEADLINE
    signer.now_ns += 1
    assert signer.kind(intent(made)) is None
    signer.now_ns += LASTS_NS + 1
    assert signer.kind(intent(made, Part.REST)) is K.DEADLINE


def test_a_delay_that_is_shorter_than_the_operators_is_refused(signer: Withdrawer) -> None:
    with pytest.raises(BadValueError, match="DELAY_S"):
        signer.allow(order(delay_ns=DELAY_NS - 1))


def test_a_part_is_signed_once_for_ever(signer: Withdrawer) -> None:
    made = signer.due()
    assert signer.kind(intent(made)) is None
    for _ in range(2):
        assert signer.kind(intent(made)) is K.REPEAT
        signer.restart()
    with pytest.raises(BadValueError, match="its id already"):
        signer.allow(made)


def test_the_rest_waits_for_the_test(signer: Withdrawer) -> None:
    made = signer.due()

    assert signer.kind(intent(made, Part.REST)) is K.ORDER


def test_what_was_taken_back_or_came_before_a_latch_is_not_signed(signer: Withdrawer) -> None:
    made, other = signer.allow(order()), signer.allow(order(2))
    signer.wait()
    signer.desk.take_back("main", made.transfer_id)
    signer.restart()
    assert signer.kind(intent(made)) is K.PERMIT
    assert signer.kind(intent(other)) is None
    signer.latched_ns = signer.now_ns
    assert signer.kind(intent(other, Part.REST)) is K.PERMIT


def test_nothing_is_signed_or_allowed_while_killed(signer: Withdrawer) -> None:
    made = signer.due()
    signer.why = SignRefusal(kind=K.KILLED, detail="killed")

    assert signer.kind(intent(made)) is K.KILLED
    with pytest.raises(BadValueError, match="killed"):
        signer.allow(order(2))


def test_a_key_that_nobody_asked_about_signs_nothing(signer: Withdrawer) -> None:
    made = signer.due()
    signer.why_closed = "nobody asked what it may do"

    assert signer.kind(intent(made)) is K.MODE
    with pytest.raises(BadValueError, match="nobody asked"):
        signer.allow(order(2))


def test_a_word_without_its_code_is_none(signer: Withdrawer) -> None:
    signer.why_no_code = "it takes a code"

    with pytest.raises(BadValueError, match="takes a code"):
        signer.allow(order())


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Decimal("2.00000001")},
        {"test_amount": Decimal("0.10000001")},
        {"amount": Decimal("1.000000001")},
    ],
)
def test_one_transfer_and_its_test_have_bounds(signer: Withdrawer, changes: dict[str, Any]) -> None:
    with pytest.raises(BadValueError, match=r"may be|decimals"):
        signer.allow(order(**changes))


def test_an_asset_without_a_bound_is_never_withdrawn(tmp_path: Path) -> None:
    signer = Withdrawer(tmp_path / "journal", replace(TERMS, day={}))
    made = signer.due()

    assert signer.kind(intent(made)) is K.CAP
    signer.restart(replace(TERMS, each={}))
    with pytest.raises(BadValueError, match="EACH"):
        signer.allow(order(2))


def test_what_takes_two_people_is_allowed_by_none(tmp_path: Path) -> None:
    terms = replace(TERMS, two_people_usd=Decimal(1_000), usd_least={"BTC": Decimal(50_000)})
    signer = Withdrawer(tmp_path / "journal", terms)
    with pytest.raises(BadValueError, match="two people"):
        signer.allow(order())
    signer.allow(order(2, amount=Decimal("0.01"), test_amount=Decimal("0.01")))
    signer.restart(replace(terms, usd_least={}))
    with pytest.raises(BadValueError, match="USD_LEAST"):
        signer.allow(order(3, amount=Decimal("0.01"), test_amount=Decimal("0.01")))


def test_the_withdraw_key_signs_what_reads_withdrawals_and_nothing_of_the_account(
    signer: Withdrawer,
) -> None:
    listing = VenueIntent(venue="kraken", ask=WithdrawalsAsk(asset=BTC, since_ms=0))  # type: ignore[arg-type]

    assert signer.kind(listing) is None
    assert signer.kind(structs.replace(listing, ask=BalancesAsk())) is K.VENUE
    assert signer.kind(structs.replace(listing, venue="gemini")) is K.VENUE


def test_the_key_that_trades_signs_no_withdrawal() -> None:
    trading = Signer()
    for asked in (
        intent(order()),
        VenueIntent(venue="kraken", ask=WithdrawalsAsk(asset=BTC, since_ms=0)),  # type: ignore[arg-type]
    ):
        reply = trading.sign(asked)
        assert isinstance(reply, SignRefusal)
        assert "the key that trades signs no withdrawal" in reply.detail


@settings(max_examples=examples(6), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "0.4", "2"]),
            st.sampled_from(["test", "rest", "restart", "power", "day"]),
        ),
        max_size=8,
    )
)
def test_no_sequence_of_transfers_and_restarts_withdraws_more_than_a_day_may(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    signer = Withdrawer(tmp_path_factory.mktemp("s") / "journal")
    out: dict[int, list[Decimal]] = {}
    for number, (amount, step) in enumerate(steps):
        if step == "power":
            signer.boot = f"b{number}"
        if step in {"restart", "power"}:
            signer.restart()
        if step == "day":
            signer.now_ns += NS_PER_DAY
        made = signer.due(number, amount=Decimal(amount))
        for part in Part if step == "rest" else (Part.TEST,):
            asked = intent(made, part)
            if signer.kind(asked) is None:
                day = signer.now_ns // NS_PER_DAY
                out.setdefault(day, []).append(asked.ask.withdrawal.amount)  # type: ignore[union-attr]
    signer.journal.close()

    assert all(exact_sum(amounts) <= TERMS.day[BTC] for amounts in out.values())
    assert UNITS == 10**8


_KILLED = """
import os, signal, sys
from tests.signing.withdrawals import Withdrawer, intent, order
signer = Withdrawer(sys.argv[1])
made = signer.due()
reply = signer.desk.sign(intent(made))
print(type(reply).__name__, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_signer_that_was_killed_after_its_answer_signs_it_no_second_time(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path / "journal")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (done.stdout.split(), done.returncode) == ([b"VenueSigned"], -9)
    signer = Withdrawer(tmp_path / "journal")
    signer.now_ns += DELAY_NS + NS_PER_S

    assert signer.kind(intent(order())) is K.REPEAT
    assert signer.kind(intent(order(), Part.REST)) is None
    signer.journal.close()

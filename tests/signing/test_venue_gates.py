"""What has to be so before an order is signed for a real exchange: each gate by itself."""

import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.domain.errors import FatalError, SettingsError
from engine.domain.units import NS_PER_S
from engine.domain.venue_orders import KeyRights
from engine.gateways.rights import UNTOLD
from engine.settings.schema import (
    ExchangesSettings,
    MarketsSettings,
    OperatorSettings,
    Settings,
    SignerSettings,
)
from engine.signing.venue_checked import FILE_NAME, VenueChecked, checked_venues
from engine.signing.venue_gates import (
    OF_REAL,
    RECENT_S,
    STANDING,
    VenueStanding,
    first_missing,
    missing_to_place,
)
from engine.signing.venue_terms import NO_EXCHANGES, ExchangeTerms
from engine.wiring.exchange_terms import exchange_terms
from engine.wiring.going_live import why_not_live
from engine.wiring.paths import Paths
from engine.wiring.signing_roles import signing_roles
from tests.signing.venue_intents import NOW_NS

TRADES = KeyRights(may_read=True, may_trade=True, may_withdraw=False)
TERMS = ExchangeTerms(
    is_real=True,
    venues=("kraken",),
    notional_day_usd=Decimal(100),
    orders_day=10,
    exposure_usd={"kraken": Decimal(50)},
)
CHECKED = VenueChecked(
    key="a-key",
    rights=TRADES,
    tested_at_ns=NOW_NS - RECENT_S * NS_PER_S,
    reconciled_at_ns=NOW_NS - RECENT_S * NS_PER_S,
)
READY = VenueStanding(
    venue="kraken", terms=TERMS, key="a-key", checked=CHECKED, has_code=True, now_ns=NOW_NS
)


def with_terms(**changes: Any) -> VenueStanding:
    return replace(READY, terms=replace(TERMS, **changes))


def with_check(**changes: Any) -> VenueStanding:
    return replace(READY, checked=msgspec.structs.replace(CHECKED, **changes))


WITHDRAWS = KeyRights(may_read=True, may_trade=True, may_withdraw=True)

LEFT_OUT = {
    "nobody asked": (replace(READY, checked=None), "make exchange-test VENUE=kraken"),
    "it was another key": (with_check(key="b"), "was of another key"),
    "it may withdraw": (with_check(rights=WITHDRAWS), "the key may withdraw"),
    "nobody knows whether": (with_check(rights=UNTOLD), "SYNDICATE_EXCHANGES_VOUCHED"),
    "no test": (with_check(tested_at_ns=0), "the self-test at kraken is missing"),
    "an old test": (
        with_check(tested_at_ns=CHECKED.tested_at_ns - NS_PER_S),
        "has to be within 24",
    ),
    "a test of tomorrow": (with_check(tested_at_ns=NOW_NS + NS_PER_S), "has to be within 24"),
    "no reconciliation": (with_check(reconciled_at_ns=0), "a clean reconciliation at kraken"),
    "no cap": (with_terms(notional_day_usd=Decimal(0)), "NOTIONAL_DAY_USD"),
    "no exposure": (with_terms(exposure_usd={}), "EXPOSURE_USD=kraken=50"),
    "no orders": (with_terms(orders_day=0), "ORDERS_DAY is 0"),
    "no authenticator": (replace(READY, has_code=False), "make enroll"),
}


def test_with_every_step_done_nothing_is_missing() -> None:
    assert first_missing(READY) == ""
    assert missing_to_place(READY) == ""


@pytest.mark.parametrize("what", LEFT_OUT)
def test_each_step_that_is_left_out_closes_a_real_exchange_in_a_sentence(what: str) -> None:
    standing, says = LEFT_OUT[what]

    assert says in first_missing(standing)
    assert first_missing(replace(standing, terms=replace(standing.terms, is_real=False))) == ""


def test_each_gate_is_the_one_that_some_step_left_out_is_stopped_by() -> None:
    stopped = {
        next(gate for gate in OF_REAL if gate(standing)).__name__
        for standing, _ in LEFT_OUT.values()
    }
    assert stopped == {gate.__name__ for gate in OF_REAL}
    assert set(STANDING) < set(OF_REAL)


def test_what_a_person_vouches_for_is_one_key_of_a_venue_that_says_nothing_itself() -> None:
    vouched = with_terms(vouched={"kraken": "a-key"})
    said = msgspec.structs.replace(CHECKED, rights=UNTOLD)

    assert first_missing(replace(vouched, checked=said)) == ""
    other = replace(vouched, key="b", checked=msgspec.structs.replace(said, key="b"))
    assert "VOUCHED" in first_missing(other)
    withdraws = msgspec.structs.replace(said, rights=WITHDRAWS)
    assert "the key may withdraw" in first_missing(replace(vouched, checked=withdraws))


def test_what_was_found_is_kept_whole_and_read_again_only_when_it_was_put_anew(
    tmp_path: Path,
) -> None:
    file = checked_venues(tmp_path)
    assert file.now() == {}
    checked_venues(tmp_path).keep("kraken", CHECKED)
    assert file.now() == {"kraken": CHECKED}
    checked_venues(tmp_path).keep("kraken", None)
    assert file.now() == {}
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("{")
    with pytest.raises(FatalError, match="run make exchange-test again"):
        checked_venues(tmp_path).read()
    assert path.name == FILE_NAME


# ---- by the settings ----------------------------------------------------------------------------

LIVE = MarketsSettings(source="live")


def real(**changes: Any) -> Settings:
    own = ExchangesSettings(trades="real", venues=["kraken"])
    return Settings(markets=LIVE, exchanges=msgspec.structs.replace(own, **changes))


def test_off_is_off_and_real_has_no_default_that_trades_anything() -> None:
    assert exchange_terms(Settings()) == NO_EXCHANGES
    assert signing_roles(Settings()) == ()
    terms = exchange_terms(real())
    assert terms.is_real
    assert terms.venues == ("kraken",)
    assert terms.notional_day_usd == 0
    assert terms.exposure_usd == {"kraken": 0}
    with pytest.raises(SettingsError, match="names no exchange"):
        exchange_terms(real(venues=[]))
    with pytest.raises(SettingsError, match="orders go where the books come from"):
        exchange_terms(msgspec.structs.replace(real(), markets=MarketsSettings()))


def test_the_sandbox_takes_one_setting_and_never_a_real_exchange() -> None:
    settings = Settings(exchanges=ExchangesSettings(trades="sandbox"))
    terms = exchange_terms(settings)
    assert not terms.is_real
    assert set(terms.venues) <= set(settings.markets.venues)
    assert terms.venues
    assert signing_roles(settings) == ("signer", "trader")
    both = msgspec.structs.replace(settings, signer=SignerSettings(signs="sandbox"))
    assert signing_roles(both) == ("signer", "sender", "trader")
    with pytest.raises(SettingsError, match="orders go where the books come from"):
        exchange_terms(msgspec.structs.replace(settings, markets=LIVE))


def test_the_chat_says_what_is_missing_before_anybody_goes_live(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert "SIGNER_SIGNS is off" in why_not_live(Settings(), paths)
    sandbox = Settings(exchanges=ExchangesSettings(trades="sandbox"))
    assert why_not_live(sandbox, paths) == ""
    with_code = msgspec.structs.replace(
        real(notional_day_usd=Decimal(10), exposure_usd={"kraken": Decimal(5)}),
        operator=OperatorSettings(totp_secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
    )
    assert "make exchange-test VENUE=kraken" in why_not_live(with_code, paths)
    now_ns = time.time_ns()
    kept = msgspec.structs.replace(CHECKED, tested_at_ns=now_ns, reconciled_at_ns=now_ns)
    checked_venues(paths.signer).keep("kraken", kept)
    assert why_not_live(with_code, paths) == ""
    assert "make enroll" in why_not_live(
        msgspec.structs.replace(with_code, operator=OperatorSettings()), paths
    )

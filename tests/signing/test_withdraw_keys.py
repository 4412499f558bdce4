"""Withdraw keys: kept apart from those that trade, and asked about before one signs real money."""

from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from engine.domain.errors import SettingsError
from engine.gateways.rights import UNTOLD
from engine.settings.schema import ExchangesSettings, Settings, TransfersSettings
from engine.signing.venue_checked import VenueChecked, checked_venues, withdrawals_of
from engine.signing.venue_keys import seal_venue_key
from engine.signing.venue_terms import ExchangeTerms
from engine.wiring.paths import Paths, prepare
from engine.wiring.signer_venues import VenueGates, open_to_withdraw, withdraw_keys
from engine.wiring.withdraw_terms import withdraw_terms
from tests.signing.test_venue_keys import KEY, PASSWORD, SECRET, run
from tests.signing.venue_intents import NOW_NS, Signer
from tests.signing.withdrawals import TERMS, Withdrawer

GOOD = structs.replace(UNTOLD, may_trade=False, may_withdraw=True)
REAL = Settings(
    exchanges=ExchangesSettings(trades="real", venues=["kraken"]),
    transfers=TransfersSettings(venues=["kraken"]),
)


async def test_a_withdraw_key_is_in_a_file_of_its_own_and_no_key_that_trades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What it takes to open one is measured where keys are sealed; it would be seconds here.
    quick = partial(seal_venue_key, n=2**10)
    monkeypatch.setattr("engine.tools.keys.seal_venue_key", quick)
    paths = prepare(str(tmp_path / "var"))
    await run(paths, "withdraw", "kraken", typed=("a-key", SECRET, PASSWORD, PASSWORD))

    sealed = (paths.signer / "withdraw" / "kraken.json").read_text()
    assert '"name": "a-key"' in sealed
    assert SECRET not in sealed
    assert not (paths.signer / "venues").exists()
    with pytest.raises(SettingsError, match="withdraw VENUE, of binance, kraken"):
        await run(paths, "withdraw", "gemini")


def test_where_a_real_withdraw_key_is_missing_the_signer_says_which_and_does_not_begin(
    tmp_path: Path,
) -> None:
    markets = structs.replace(REAL.markets, source="live")
    terms = withdraw_terms(structs.replace(REAL, markets=markets))

    assert terms.is_real
    with pytest.raises(SettingsError, match="withdraw key of kraken"):
        withdraw_keys(REAL, Paths(tmp_path), terms)


def test_with_real_money_the_delay_is_a_minute_at_least() -> None:
    hasty = structs.replace(
        REAL,
        markets=structs.replace(REAL.markets, source="live"),
        transfers=TransfersSettings(venues=["kraken"], delay_s=59),
    )

    with pytest.raises(SettingsError, match="60 s at least"):
        withdraw_terms(hasty)


def test_the_key_that_trades_is_not_taken_to_withdraw(tmp_path: Path) -> None:
    out = Withdrawer(tmp_path / "journal")

    with pytest.raises(SettingsError, match="make one for each"):
        open_to_withdraw(out.desk, Signer().desk, "kraken", KEY)


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (None, "nobody asked kraken what its withdraw key may do"),
        (VenueChecked(key="another", rights=GOOD), "another withdraw key"),
        (VenueChecked(key="out", rights=structs.replace(GOOD, may_trade=True)), "may trade"),
        (VenueChecked(key="out", rights=UNTOLD), "SYNDICATE_TRANSFERS_VOUCHED"),
        (VenueChecked(key="out", rights=GOOD), ""),
    ],
)
def test_real_money_is_withdrawn_with_a_key_that_its_venue_was_asked_about(
    tmp_path: Path, kept: VenueChecked | None, says: str
) -> None:
    paths = prepare(str(tmp_path / "var"))
    gates = VenueGates(
        ExchangeTerms(is_real=True, venues=("kraken",)),
        paths,
        has_code=True,
        keys=dict,
        clock=lambda: NOW_NS,
    )
    gates.withdraw_keys = lambda: {"kraken": "out"}
    checked_venues(paths.signer).keep(withdrawals_of("kraken"), kept)

    why = gates.missing_to_withdraw("kraken")

    assert says in why
    assert bool(why) == bool(says)
    gates.withdraw_vouched = {"kraken": "out"}
    if kept is not None and kept.rights is UNTOLD:
        assert TERMS.venues
        assert gates.missing_to_withdraw("kraken") == ""

"""Orders together with a transaction: all who could do one half alone go by one answer."""

import pytest
from msgspec.structs import replace

from bot.render.safety import render_mode
from bot.render.screen import Text
from engine.bus.reports import StatusReport
from engine.domain.errors import SettingsError
from engine.settings.schema import (
    ExchangesSettings,
    MarketsSettings,
    Settings,
    SignerSettings,
)
from engine.wiring.exchange_terms import exchange_terms
from engine.wiring.mixed_terms import why_mixed_shut
from engine.wiring.signing_terms import signing_terms
from tests.bot import samples
from tests.signing.intents import CODE_HASH, CONTRACT

OURS = {f"base:{CONTRACT}": CODE_HASH}
BOTH = Settings(
    signer=SignerSettings(signs="sandbox", contracts=OURS),
    exchanges=ExchangesSettings(trades="sandbox"),
)
REAL = replace(
    BOTH,
    markets=MarketsSettings(source="live"),
    signer=SignerSettings(signs="main", contracts=OURS),
    exchanges=ExchangesSettings(trades="real", venues=["kraken"]),
)


def test_in_the_sandbox_it_is_open_where_both_halves_are_on_and_the_signer_signs_both() -> None:
    assert why_mixed_shut(BOTH) == ""
    assert signing_terms(BOTH).signs_mixed
    assert exchange_terms(BOTH).signs_mixed


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (replace(BOTH, signer=SignerSettings()), "SYNDICATE_SIGNER_SIGNS is off"),
        (replace(BOTH, signer=SignerSettings(signs="sandbox")), "SYNDICATE_SIGNER_CONTRACTS"),
        (replace(BOTH, exchanges=ExchangesSettings()), "SYNDICATE_EXCHANGES_TRADES is off"),
        (REAL, "outside of the sandbox"),
        (replace(REAL, signer=SignerSettings(signs="test", contracts=OURS)), "outside of"),
        (replace(BOTH, exchanges=REAL.exchanges), "outside of the sandbox"),
        (replace(BOTH, signer=REAL.signer), "outside of the sandbox"),
    ],
)
def test_else_it_is_shut_by_name_and_neither_half_is_signed(settings: Settings, words: str) -> None:
    assert words in why_mixed_shut(settings)
    for terms_of in (signing_terms, exchange_terms):
        try:
            terms = terms_of(settings)
        except SettingsError:
            continue  # then nothing at all is signed there
        assert not terms.signs_mixed


@pytest.mark.parametrize(
    ("shut", "words"),
    [
        ("", "live: orders together with a transaction, too."),
        ("they are on paper: no order is placed", "live: they are on paper: no order is placed."),
    ],
)
def test_the_mode_says_whether_they_go_live_and_else_why_not(shut: str, words: str) -> None:
    said, before = (render_mode(mode_of(one)).blocks for one in (shut, None))

    assert [one.text for one in said if isinstance(one, Text) and one not in before] == [words]


def mode_of(shut: str | None) -> StatusReport:
    return replace(samples.status(), mixed_shut=shut)

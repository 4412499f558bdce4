"""`/wallets` shows keys of exchanges: which are open, and what of the day is used."""

from decimal import Decimal

from msgspec.structs import replace

from bot.render.plain import write_plain
from bot.render.wallets import render_wallets
from engine.bus.signing import CapLine, SignedVenue
from tests.bot import sending_samples

VENUES = [
    SignedVenue(name="coinbase", key="organizations/o/apiKeys/1f2e3d4c-key"),
    SignedVenue(name="kraken", key=""),
]
CAPS = [
    CapLine(what="moved by plans", unit="USD", used=Decimal(0), most=Decimal(500)),
    CapLine(what="moved at exchanges", unit="USD", used=Decimal(120), most=Decimal(500)),
    CapLine(what="orders at exchanges", unit="", used=Decimal(4), most=Decimal(50)),
    CapLine(what="signatures", unit="", used=Decimal(0), most=Decimal(0)),
]


def test_without_a_wallet_the_keys_of_exchanges_are_shown_alone() -> None:
    report = replace(sending_samples.wallets(), address="", chains=[], caps=CAPS, venues=VENUES)

    text = write_plain(render_wallets(report, None))

    assert "Keys of exchanges: some locked" in text
    assert "coinbase: key 1f2e3d4c-key, open" in text
    assert "kraken: locked" in text
    assert "moved at exchanges: 120" in text
    assert "the sender is away" not in text
    assert "signatures" not in text


def test_beside_a_wallet_they_are_lines_of_its_screen() -> None:
    text = write_plain(render_wallets(replace(sending_samples.wallets(), venues=VENUES), None))

    assert "Wallet: open" in text
    assert "kraken: locked" in text
    assert "the sender is away" in text

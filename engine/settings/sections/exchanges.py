"""Settings of trading at exchanges: whether, where, with which keys and how much."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.settings.sections.section import Section, exact


class ExchangesSettings(Section, frozen=True, kw_only=True):
    """Trading at exchanges, and what may be signed for it; see docs/signer.md."""

    trades: Annotated[
        Literal["off", "sandbox", "real"],
        Meta(description="off: no order is ever signed, and no role is there that could place one; "
             "sandbox: at the sandbox's exchanges, with its own published keys; real: at "
             "exchanges, with real money, behind the gates of docs/signer.md"),
    ] = "off"  # fmt: skip
    venues: Annotated[
        list[str],
        Meta(description="where orders may be placed, as binance,kraken; unless it is set all of "
             "the sandbox's, and no real one"),
    ] = msgspec.field(default_factory=list)  # fmt: skip
    ccxt: Annotated[
        list[str],
        Meta(max_length=10,
             description="further exchanges whose books are followed through the library ccxt, by "
             "its names, as kucoin,okx; nothing is ever ordered there, see docs/ccxt.md"),
    ] = msgspec.field(default_factory=list)  # fmt: skip
    key_files: Annotated[
        dict[str, str],
        Meta(description="files with keys of venues, mode 600, as kraken=/run/secrets/kraken; else "
             "signer/venues/VENUE.json in the data directory, made by python -m engine keys venue "
             "VENUE"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    vouched: Annotated[
        dict[str, str],
        Meta(description="by venue the name of a key of which you have seen there that it cannot "
             "withdraw, where the venue does not say it itself, as kraken=KEYNAME"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    notional_day_usd: Annotated[
        Decimal | None,
        exact(
            "the most that orders signed in a UTC day may move, with what transactions move within "
            "their own cap, too; unless it is set 1,000,000 in the sandbox, and at real exchanges "
            "nothing",
            unit="USD",
            at_least=0,
            at_most=1_000_000_000,
        ),
    ] = None
    orders_day: Annotated[
        int,
        Meta(ge=0, le=1_000_000, extra={"unit": "orders"},
             description="most orders in a UTC day; as many again for what only unwinds"),
    ] = 2_000  # fmt: skip
    exposure_usd: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "USD", "ge": 0, "le": 1_000_000_000},
            description="the most that may be at risk at a venue at once, and so the most that one "
            "order may move there, as binance=500; unless it is set 25,000 in the sandbox, and at "
            "a real exchange nothing",
        ),
    ] = msgspec.field(default_factory=dict)
    low_balance: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "of the asset", "ge": 0, "le": 1_000_000_000},
            description="by asset, below how much of it that is free you are told of each venue "
            "and wallet with real money, as USD=50,BTC=0.001; that it covers no order is told "
            "anyway",
        ),
    ] = msgspec.field(default_factory=dict)
    transfer_usd: Annotated[
        Decimal,
        exact(
            "what a transfer between venues costs you, which a proposal in /inventory has to gain",
            unit="USD",
            at_least=0,
            at_most=1_000_000,
        ),
    ] = Decimal(5)
    transfer_usd_of: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "USD", "ge": 0, "le": 1_000_000},
            description="the same for assets that cost something else, as BTC=8,SOL=0.1",
        ),
    ] = msgspec.field(default_factory=dict)
    transfer_minutes: Annotated[
        Decimal,
        exact(
            "how long a transfer takes: what would be gained meanwhile does not count",
            unit="minutes",
            at_least=0,
            at_most=1_440,
        ),
    ] = Decimal(30)
    transfer_minutes_of: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "minutes", "ge": 0, "le": 1_440},
            description="the same for assets that take another time, as USD=1440,SOL=2",
        ),
    ] = msgspec.field(default_factory=dict)
    destinations: Annotated[
        dict[str, str],
        Meta(
            description="addresses that a proposal of a transfer may name, by place, asset and "
            "chain, as coinbase/USDC/base=0x...,kraken/XRP/ripple=rADDRESS:TAG; each is checked by "
            "the rules of its chain; the wallet of a chain is called by the chain",
        ),
    ] = msgspec.field(default_factory=dict)

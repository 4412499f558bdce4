"""Settings of the market: where data comes from, which routes are looked for, what they cost."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.connectors.venue_list import FEEDS
from engine.settings.sections.section import FEE, Section, exact


class MarketsSettings(Section, frozen=True, kw_only=True):
    """Where market data comes from."""

    source: Annotated[
        Literal["sandbox", "live"],
        Meta(description="sandbox: local servers that replay recordings; live: public feeds"),
    ] = "sandbox"
    venues: Annotated[list[str], Meta(min_length=1, description="venues to connect to")] = (
        msgspec.field(default_factory=lambda: list(FEEDS))
    )
    pairs: Annotated[
        list[str],
        Meta(
            min_length=1,
            max_length=100,
            description="pairs to watch on live markets, where a venue lists them; "
            "the sandbox has its own",
        ),
    ] = msgspec.field(
        default_factory=lambda: [
            "BTC-USD", "ETH-USD", "BTC-EUR", "ETH-EUR", "ETH-BTC", "LTC-BTC",
            "BTC-USDT", "ETH-USDT", "USDT-USD", "EUR-USD", "USDC-USD",
        ]
    )  # fmt: skip
    feeds: Annotated[
        dict[str, str],
        Meta(description="feed of a venue that has several, as gemini=l2; else its default"),
    ] = msgspec.field(default_factory=dict)
    age_ms_max: Annotated[
        int,
        Meta(ge=100, le=600_000, description="a book without any change for longer is stale",
             extra={"unit": "ms", "tightens": "down"}),
    ] = 10_000  # fmt: skip
    lag_ms_max: Annotated[
        int,
        Meta(ge=100, le=60_000, extra={"unit": "ms", "tightens": "down"},
             description="books whose frames come this much later than the quickest of their "
             "connection, or wait here so long, are stale"),
    ] = 2_000  # fmt: skip
    audit_s: Annotated[
        int,
        Meta(ge=1, le=3_600, extra={"unit": "s"},
             description="interval of the REST cross-audit of each book whose feed has no sequence "
             "numbers, as far as the venue's request limit allows; a fifth of it in open routes"),
    ] = 5  # fmt: skip
    sandbox_speed: Annotated[
        float, Meta(gt=0, le=1_000, description="replay speed of the sandbox, 1 is as recorded")
    ] = 1.0
    sandbox_faults: Annotated[
        Literal["none", "light", "heavy"],
        Meta(description="faults that the sandbox injects, from the paper seed"),
    ] = "none"
    sandbox_chains: Annotated[
        list[str],
        Meta(description="chains that local nodes of the sandbox pose as, as base,ethereum; unset: "
             "arbitrum, base and polygon, unless all roles share a process; none: the sandbox "
             "makes a chain up"),
    ] = msgspec.field(default_factory=list)  # fmt: skip
    sandbox_port: Annotated[
        int, Meta(ge=0, le=65_535, description="port of the sandbox on loopback, 0 is any free one")
    ] = 0


class CostsSettings(Section, frozen=True, kw_only=True):
    """What a trade costs."""

    fee_bps_taker: Annotated[
        dict[str, Decimal],
        Meta(
            extra=FEE,
            description="taker fee of your tier by venue, as binance=10,coinbase=60; "
            "else the venue's entry tier (sandbox: see docs/risk.md)",
        ),
    ] = msgspec.field(default_factory=dict)
    transfer_bps: Annotated[
        Decimal,
        exact(
            "share of each route's notional set aside for moving assets back",
            unit="bps",
            at_least=0,
            at_most=1_000,
        ),
    ] = Decimal(2)


class RoutesSettings(Section, frozen=True, kw_only=True):
    """Which routes are looked for, and what they cost beside fees."""

    legs_max: Annotated[
        int,
        Meta(ge=2, le=5, extra={"unit": "legs"},
             description="most legs of a route; 5 takes longer to look for"),
    ] = 4  # fmt: skip
    flash_fee_bps: Annotated[
        Decimal,
        exact(
            "fee of a flash loan, charged on routes through pools of one chain",
            unit="bps",
            at_least=0,
            at_most=1_000,
        ),
    ] = Decimal(5)
    bridges: Annotated[
        dict[str, Decimal],
        Meta(
            extra=FEE,
            description="assets that turn into each other, as BTC-WBTC=10, at a share of the "
            "amount; none unless set",
        ),
    ] = msgspec.field(default_factory=dict)
    bridge_usd: Annotated[
        Decimal,
        exact(
            "what each use of a bridge costs whatever the amount",
            unit="USD",
            at_least=0,
            at_most=100_000,
        ),
    ] = Decimal(5)
    gas_price_gwei: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "gwei", "ge": 0, "le": 100_000},
            description="assumed gas price by chain until a chain tells, as "
            "ethereum=20,arbitrum=0.1; else 10 on ethereum, and pools of other chains are in "
            "no route",
        ),
    ] = msgspec.field(default_factory=dict)

"""Settings of transfers between exchanges: from where, with which keys, how much, how late."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from engine.settings.sections.section import Section

_AMOUNTS = {"unit": "of the asset", "ge": 0, "le": 1_000_000_000}


class TransfersSettings(Section, frozen=True, kw_only=True):
    """Transfers between exchanges by a person's word; see docs/transfers.md."""

    venues: Annotated[
        list[str],
        Meta(description="exchanges from which may be withdrawn, each with a withdraw key of its "
             "own, as binance,kraken; unless it is set nothing ever is"),
    ] = msgspec.field(default_factory=list)  # fmt: skip
    key_files: Annotated[
        dict[str, str],
        Meta(description="files with withdraw keys, mode 600, as kraken=/run/secrets/kraken-out; "
             "else signer/withdraw/VENUE.json in the data directory, made by python -m engine keys "
             "withdraw VENUE"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    vouched: Annotated[
        dict[str, str],
        Meta(description="by venue the name of a withdraw key of which you have seen there that it "
             "cannot trade, where the venue does not say it itself, as kraken=KEYNAME"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    names: Annotated[
        dict[str, str],
        Meta(description="what an exchange calls an address that it sends to, by source, target, "
             "asset and chain, as kraken/binance/BTC/bitcoin=NAME; kraken needs it"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    each: Annotated[
        dict[str, Decimal],
        Meta(
            extra=_AMOUNTS,
            description="the most of one transfer by asset, with its test and fees, as "
            "BTC=0.01,USDC=500; nothing of an asset that is not named",
        ),
    ] = msgspec.field(default_factory=dict)
    day: Annotated[
        dict[str, Decimal],
        Meta(extra=_AMOUNTS,
             description="the most that is withdrawn of an asset in a UTC day, from all exchanges "
             "together; nothing of one that is not named"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    test: Annotated[
        dict[str, Decimal],
        Meta(
            extra=_AMOUNTS,
            description="how much of an asset goes first; the rest follows once that is credited; "
            "above what the exchange takes at the least, and its fee",
        ),
    ] = msgspec.field(default_factory=dict)
    delay_s: Annotated[
        int,
        Meta(ge=0, le=86_400, extra={"unit": "s"},
             description="between your word and the test, in which /transfer cancel stops all of "
             "it; with real money at least 60"),
    ] = 600  # fmt: skip

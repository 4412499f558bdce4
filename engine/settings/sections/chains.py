"""Settings of the chains whose blocks are followed."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.settings.sections.section import Section


class ChainsSettings(Section, frozen=True, kw_only=True):
    """Chains whose blocks are followed."""

    providers: Annotated[
        str | None,
        Meta(description="nodes of each chain, as ethereum=https://one.example/KEY|"
             "wss://one.example/KEY|https://two.example/KEY;base=https://..., or file:PATH of a "
             "file of the same, read again when it changes"),
    ] = None  # fmt: skip
    agree: Annotated[
        int,
        Meta(ge=1, le=5, extra={"unit": "providers"},
             description="so many providers of a chain have to agree on events and states of its "
             "pools, or all of them where there are fewer; with three or more a liar is found out"),
    ] = 2  # fmt: skip
    units_per_s: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "units/s", "gt": 0, "le": 1_000_000},
            description="what a key may spend by host, in the provider's own units, as "
            "alchemy.com=660; else what a free key may",
        ),
    ] = msgspec.field(default_factory=dict)
    processes: Annotated[
        Literal["one", "each"],
        Meta(description="one process follows all chains, or each has one of its own: more memory, "
             "and what holds up one chain holds up no other"),
    ] = "one"  # fmt: skip
    pool_usd_min: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000_000,
            extra={"unit": "USD"},
            description="pools with less in them are not followed",
        ),
    ] = 10_000
    pools_max: Annotated[
        int,
        Meta(
            ge=1,
            le=16_000,
            extra={"unit": "pools"},
            description="most pools of a chain that are followed, those with the most in them",
        ),
    ] = 5_000
    stale_blocks: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000,
            extra={"unit": "blocks"},
            description="pools are stale without a new block of their chain for so many of its "
            "block times",
        ),
    ] = 4
    undo_blocks: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000,
            extra={"unit": "blocks"},
            description="so many of the newest blocks of a chain can be undone; a reorganisation "
            "that goes deeper has all of its pools read anew",
        ),
    ] = 64
    gas_stale_s: Annotated[
        int,
        Meta(
            ge=5,
            le=3_600,
            extra={"unit": "s"},
            description="a gas price that a chain told counts for so long; without a newer one no "
            "transaction is planned there",
        ),
    ] = 60
    pending: Annotated[
        bool,
        Meta(
            description="transactions that wait for a block are listened to where nodes tell them, "
            "so that large trades are told before they happen"
        ),
    ] = True
    whale_bps: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            extra={"unit": "bps"},
            description="a swap on a chain that moves its price so far is told; 50 bps are 0.5 %",
        ),
    ] = 50
    whale_usd: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000_000_000,
            extra={"unit": "USD"},
            description="a swap on a chain that is worth so much is told, whatever it moves",
        ),
    ] = 250_000
    whales_per_min: Annotated[
        int,
        Meta(
            ge=0,
            le=60,
            extra={"unit": "notices/min"},
            description="so many large trades of a chain are told at most, the worthiest first",
        ),
    ] = 1

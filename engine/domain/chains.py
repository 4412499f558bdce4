"""Chains: one row of facts for each that is known, and how the blocks of one come in a run.

What a row says is what to begin with. Times and prices are measured or told once a node answers,
the number of the chain is compared with the node's own, and a chain of another number is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.units import BPS_PER_UNIT

MULTICALL3: Final = "0xca11bde05977b3631167028862be2a173976ca11"
"""One and the same on each of these chains; whether it is there is asked at start."""

OP_WRAPPED: Final = "0x4200000000000000000000000000000000000006"
"""Wrapped Ether of each chain that was built with the OP Stack, from its first block on."""


class Finality(StrEnum):
    """What makes a block one that stays. All answer to the tag `finalized`."""

    EPOCHS = "two epochs of votes"
    VOTES = "votes on each block"
    MILESTONES = "milestones"
    ETHEREUM = "a batch in a final block of ethereum"


class GasModel(StrEnum):
    """What a transaction pays for."""

    BASE_FEE = "gas at a base fee and a tip"
    FLOOR = "gas at a price above a floor, without a base fee"
    OP_STACK = "gas, and its bytes at prices of ethereum by the formulas of the OP Stack"
    ARBITRUM = "gas, and its bytes at prices of ethereum as further gas"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFacts:
    """What is known of a chain.

    Attributes:
        name: as settings, screens and records have it.
        chain_id: which a node of it says it is of.
        block_ms: time between two blocks.
        native: what gas is paid in.
        wrapped_native: token of it, in lower case.
        finality_s: how long a block takes to become final, about.
        multicall: contract that answers many reads at once, in lower case.
        log_span: of so many blocks logs are asked at once at first; providers allow more or less.
        gas_price_gwei: assumed until a chain tells. Without any its pools are in no route.
        native_usd_about: by which pools are chosen where nobody says a price, and nothing else is
            reckoned.
        confirms_ahead: its sequencer says what a block will hold while it is made, in parts of some
            200 ms (flashblocks), where a provider passes that on.
    """

    name: str
    chain_id: int
    block_ms: int
    native: AssetCode
    wrapped_native: str
    finality: Finality
    finality_s: int
    gas_model: GasModel
    log_span: int
    multicall: str = MULTICALL3
    gas_price_gwei: Decimal | None = None
    native_usd_about: Decimal
    confirms_ahead: bool = False


_ALL: Final = (
    ChainFacts(
        name="ethereum",
        chain_id=1,
        block_ms=12_000,
        native=AssetCode("ETH"),
        native_usd_about=Decimal(2_500),
        wrapped_native="0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2",
        finality=Finality.EPOCHS,
        finality_s=900,
        gas_model=GasModel.BASE_FEE,
        log_span=5_000,
        gas_price_gwei=Decimal(10),
    ),
    ChainFacts(
        name="base",
        chain_id=8_453,
        block_ms=2_000,
        native=AssetCode("ETH"),
        native_usd_about=Decimal(2_500),
        wrapped_native=OP_WRAPPED,
        finality=Finality.ETHEREUM,
        finality_s=1_200,
        gas_model=GasModel.OP_STACK,
        log_span=5_000,
        confirms_ahead=True,
    ),
    ChainFacts(
        name="arbitrum",
        chain_id=42_161,
        block_ms=250,
        native=AssetCode("ETH"),
        native_usd_about=Decimal(2_500),
        wrapped_native="0x82af49447d8a07e3bd95bd0d56f35241523fbab1",
        finality=Finality.ETHEREUM,
        finality_s=1_200,
        gas_model=GasModel.ARBITRUM,
        log_span=10_000,
    ),
    ChainFacts(
        name="optimism",
        chain_id=10,
        block_ms=2_000,
        native=AssetCode("ETH"),
        native_usd_about=Decimal(2_500),
        wrapped_native=OP_WRAPPED,
        finality=Finality.ETHEREUM,
        finality_s=1_200,
        gas_model=GasModel.OP_STACK,
        log_span=5_000,
        confirms_ahead=True,
    ),
    ChainFacts(
        name="bnb",
        chain_id=56,
        block_ms=450,
        native=AssetCode("BNB"),
        native_usd_about=Decimal(600),
        wrapped_native="0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c",
        finality=Finality.VOTES,
        finality_s=2,
        gas_model=GasModel.FLOOR,
        log_span=2_000,
    ),
    ChainFacts(
        name="polygon",
        chain_id=137,
        block_ms=1_750,
        native=AssetCode("POL"),
        native_usd_about=Decimal("0.4"),
        wrapped_native="0x0d500b1d8e8ef31e21c99d1db9a6444d3adf1270",
        finality=Finality.MILESTONES,
        finality_s=5,
        gas_model=GasModel.BASE_FEE,
        log_span=2_000,
    ),
)

CHAINS: Final[Mapping[str, ChainFacts]] = {facts.name: facts for facts in _ALL}
"""Each chain that is known, by its name."""

LIKE: Final[Mapping[str, str]] = {
    "sepolia": "ethereum",
    "holesky": "ethereum",
    "hoodi": "ethereum",
    "arbitrum-sepolia": "arbitrum",
    "base-sepolia": "base",
    "optimism-sepolia": "optimism",
    "polygon-amoy": "polygon",
    "bnb-testnet": "bnb",
}
"""Test networks, whose coins are worth nothing, and of which chain each is a copy."""


def _copy(name: str, chain_id: int, wrapped_native: str) -> ChainFacts:
    facts = CHAINS[LIKE[name]]
    return replace(
        facts, name=name, chain_id=chain_id, wrapped_native=wrapped_native, confirms_ahead=False
    )


TEST_NETWORKS: Final[Mapping[str, ChainFacts]] = {
    facts.name: facts
    for facts in (
        _copy("sepolia", 11_155_111, "0xfff9976782d46cc05630d1f6ebab18b2324d6b14"),
        _copy("holesky", 17_000, "0x94373a4919b3240d86ea41593d5eba789fef3848"),
        _copy("hoodi", 560_048, ""),
        _copy("arbitrum-sepolia", 421_614, "0x980b62da83eff3d4576c647993b0c1d7faf17c73"),
        _copy("base-sepolia", 84_532, OP_WRAPPED),
        _copy("optimism-sepolia", 11_155_420, OP_WRAPPED),
        _copy("polygon-amoy", 80_002, "0x360ad4f9a9a8efe9a8dcb5f461c4cc1047e1dcf9"),
        _copy("bnb-testnet", 97, "0xae13d989dac2f0debff460ac112a837c89baa7cd"),
    )
}
"""Each of them, by its name; without a wrapped coin where none is agreed on."""

NETWORKS: Final[Mapping[str, ChainFacts]] = {**CHAINS, **TEST_NETWORKS}
"""Both: whatever a node may be of."""

NATIVE_ASSETS: Final[Mapping[str, AssetCode]] = {
    facts.name: facts.native for facts in NETWORKS.values()
}

GAS_PRICES_GWEI: Final[Mapping[str, Decimal]] = {
    facts.name: facts.gas_price_gwei for facts in _ALL if facts.gas_price_gwei is not None
}
"""Assumed where the settings name no price. A chain without any has its pools in no route."""


def block_ms(chain: str) -> int:
    """Return how long a transaction waits for its block at most, if the chain has room for it."""
    facts = NETWORKS.get(chain)
    return max(facts.block_ms for facts in _ALL) if facts is None else facts.block_ms


DEADLINE_BLOCKS: Final = 2
"""A transaction may land in the next block or in the one after it."""

CONFIRM_BLOCKS_MAX: Final = 8
"""No chain's transaction is told as done only with more blocks than that, its own counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTerms:
    """How the blocks of a chain come.

    Attributes:
        stale_ms: its pools are stale without a new block for longer.
        undo_blocks: how many of the newest blocks can be undone by a reorganisation.
        block_ms: time between two of them, 0 if nobody says; headers of earlier versions do not.
        bid_share_bps: of what is left of a gain, for whoever makes the block, where those who pay
            most come first.
    """

    stale_ms: int
    undo_blocks: int
    block_ms: int = 0
    bid_share_bps: int = 0

    def __post_init__(self) -> None:
        if self.stale_ms <= 0 or self.undo_blocks < 0:
            raise BadValueError(
                f"blocks are stale after {self.stale_ms} ms and {self.undo_blocks} can be undone;"
                " the first must be above 0, the second not below"
            )
        if not 0 <= self.bid_share_bps < BPS_PER_UNIT:
            raise BadValueError(
                f"{self.bid_share_bps} bps of a gain are bid; it must be from 0 to below"
                f" {BPS_PER_UNIT}"
            )

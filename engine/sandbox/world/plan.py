"""What each chain of the local world poses as, which tokens it has, and at what start prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlan:
    """A token to deploy.

    Attributes:
        asset: which asset it stands for.
        is_wrapped: whether it is the wrapped form of what the chain is paid in.
    """

    symbol: str
    name: str
    decimals: int
    asset: str
    is_wrapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPlan:
    """A chain to pose as.

    Attributes:
        block_s: time between two blocks, its own.
        base_fee_gwei, tip_gwei: about what gas costs.
        slots: half the number of blocks after which one is final, as the node counts.
        prices_usd: of the assets at the start.
        has_strangers: there are tokens that nobody should buy, too.
        has_relay: its blocks are filled with what is bid at a relay, for which rivals bid too.
    """

    chain: str
    chain_id: int
    block_s: float
    tokens: tuple[TokenPlan, ...]
    base_fee_gwei: float
    tip_gwei: float
    slots: int = 32
    prices_usd: Mapping[str, Decimal] = field(default_factory=lambda: START_PRICES_USD)
    has_strangers: bool = False
    has_relay: bool = False


START_PRICES_USD: Final[Mapping[str, Decimal]] = {
    "ETH": Decimal("2685.50"),
    "WBTC": Decimal(61838),
    "BNB": Decimal(560),
    "POL": Decimal("0.42"),
    "USDC": Decimal(1),
    "USDT": Decimal(1),
    "DAI": Decimal(1),
}
"""Those of the sandbox's books where they have any (`engine/sandbox/lineup.toml`)."""


def _tokens(wrapped: TokenPlan, *, dollar_decimals: int = 6) -> tuple[TokenPlan, ...]:
    ether = TokenPlan(symbol="WETH", name="Wrapped Ether", decimals=18, asset="ETH")
    others = (
        TokenPlan(symbol="USDC", name="USD Coin", decimals=dollar_decimals, asset="USDC"),
        TokenPlan(symbol="USDT", name="Tether USD", decimals=dollar_decimals, asset="USDT"),
        TokenPlan(symbol="WBTC", name="Wrapped BTC", decimals=8, asset="WBTC"),
        TokenPlan(symbol="DAI", name="Dai Stablecoin", decimals=18, asset="DAI"),
    )
    return (wrapped, *(() if wrapped.asset == "ETH" else (ether,)), *others)


_ETHER: Final = TokenPlan(
    symbol="WETH", name="Wrapped Ether", decimals=18, asset="ETH", is_wrapped=True
)
_BNB: Final = TokenPlan(
    symbol="WBNB", name="Wrapped BNB", decimals=18, asset="BNB", is_wrapped=True
)
_POL: Final = TokenPlan(
    symbol="WPOL", name="Wrapped Polygon Ecosystem Token", decimals=18, asset="POL", is_wrapped=True
)

_ETHER_TOKENS: Final = _tokens(_ETHER)

CHAIN_PLANS: Final[Mapping[str, ChainPlan]] = {
    one.chain: one
    for one in (
        ChainPlan(
            chain="ethereum",
            chain_id=1,
            block_s=12.0,
            tokens=_ETHER_TOKENS,
            base_fee_gwei=3.0,
            tip_gwei=0.1,
            has_relay=True,
        ),
        ChainPlan(
            chain="base",
            chain_id=8453,
            block_s=2.0,
            tokens=_ETHER_TOKENS,
            base_fee_gwei=0.005,
            tip_gwei=0.001,
        ),
        ChainPlan(
            chain="arbitrum",
            chain_id=42161,
            block_s=0.25,
            tokens=_ETHER_TOKENS,
            base_fee_gwei=0.01,
            tip_gwei=0.0,
        ),
        ChainPlan(
            chain="optimism",
            chain_id=10,
            block_s=2.0,
            tokens=_ETHER_TOKENS,
            base_fee_gwei=0.001,
            tip_gwei=0.001,
        ),
        ChainPlan(
            chain="bnb",
            chain_id=56,
            block_s=0.75,
            tokens=_tokens(_BNB, dollar_decimals=18),
            base_fee_gwei=0.0,
            tip_gwei=0.1,
            slots=1,
        ),
        ChainPlan(
            chain="polygon",
            chain_id=137,
            block_s=2.0,
            tokens=_tokens(_POL),
            base_fee_gwei=30.0,
            tip_gwei=30.0,
            slots=2,
        ),
    )
}

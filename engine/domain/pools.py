"""Pools of a chain: what a swap needs to know of one that does not change with every block."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.tokens import Token, asset_of, is_code

TOKEN_DECIMALS_MIN = 1
TOKEN_DECIMALS_MAX = 24
"""Where whole numbers and floats both hold a pool: with 0 decimals one unit of rounding is a whole
token, with 30 a pair's 112-bit reserve is full at 5,192 of them. Forms that scale to 18 decimals
(Curve, Balancer, Solidly) take 18 at most."""

FEE_DECIMALS_MAX = 18
TOKENS_MAX = 8
GAS_UNITS_MAX = 30_000_000
"""Of a whole block of Ethereum, for years."""

PROTOCOL_FEE_RATIO_MAX = Decimal("0.001")
"""What the protocol of Uniswap V4 may take of an input at most."""

_NAME_CHARACTERS_MAX = 100


class Protocol(StrEnum):
    """What a pool was deployed from; each has an exact form under `engine.pools`."""

    UNISWAP_V2 = "uniswap_v2"
    SUSHISWAP_V2 = "sushiswap_v2"
    PANCAKESWAP_V2 = "pancakeswap_v2"
    QUICKSWAP_V2 = "quickswap_v2"
    CAMELOT_V2 = "camelot_v2"
    BASESWAP_V2 = "baseswap_v2"
    BISWAP_V2 = "biswap_v2"
    UNISWAP_V3 = "uniswap_v3"
    SUSHISWAP_V3 = "sushiswap_v3"
    PANCAKESWAP_V3 = "pancakeswap_v3"
    QUICKSWAP_V3 = "quickswap_v3"
    CAMELOT_V3 = "camelot_v3"
    THENA_FUSION = "thena_fusion"
    AERODROME_SLIPSTREAM = "aerodrome_slipstream"
    VELODROME_SLIPSTREAM = "velodrome_slipstream"
    UNISWAP_V4 = "uniswap_v4"
    AERODROME_V2 = "aerodrome_v2"
    VELODROME_V2 = "velodrome_v2"
    THENA_V1 = "thena_v1"
    CURVE = "curve"
    BALANCER_WEIGHTED = "balancer_weighted"
    BALANCER_STABLE = "balancer_stable"
    WHIRLPOOL = "whirlpool"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PoolId:
    """Which pool: its address (or id, where one contract holds many) on its chain."""

    chain: str
    address: str

    def __str__(self) -> str:
        return f"{self.address} on {self.chain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool and its terms.

    Attributes:
        chain: such as ``ethereum``.
        address: as the chain writes it.
        tokens: (asset, decimals) in the pool's own order: `token_in` of a swap counts in it.
        fee_ratio: share of the input that a swap pays, 0.0005 for 0.05 %.
        gas_units: assumed gas of one swap through it.
        protocol_fee_ratios: of Uniswap V4, on top of `fee_ratio`: what the protocol takes first of
            an input of token 0, and of one of token 1; nothing if it takes none.
        token_addresses: of the tokens, which then are the assets that `domain.tokens` says;
            nothing where tokens are made up, which no live market takes (`check_named`).
    """

    chain: str
    protocol: Protocol
    address: str
    tokens: tuple[tuple[AssetCode, int], ...]
    fee_ratio: Decimal
    gas_units: int
    protocol_fee_ratios: tuple[Decimal, ...] = ()
    token_addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, name in (("chain", self.chain), ("address", self.address)):
            is_name = name.isascii() and name.isprintable() and " " not in name
            if not (is_name and 0 < len(name) <= _NAME_CHARACTERS_MAX):
                raise BadValueError(f"{what} of a pool is no name: {name[:_NAME_CHARACTERS_MAX]!r}")
        self._check_tokens()
        if not self.fee_ratio.is_finite():
            raise BadValueError(f"fee_ratio of pool {self.pool_id} is not finite: {self.fee_ratio}")
        if not 0 <= self.fee_ratio < 1:
            raise BadValueError(
                f"fee_ratio of pool {self.pool_id} is {self.fee_ratio}; it must be from 0 to"
                " below 1 (100 % of the input)"
            )
        if self.fee_ratio != round(self.fee_ratio, FEE_DECIMALS_MAX):
            raise BadValueError(
                f"fee_ratio of pool {self.pool_id} has more than {FEE_DECIMALS_MAX} decimals"
            )
        self._check_protocol_fees()
        self._check_identity()
        if not 0 < self.gas_units <= GAS_UNITS_MAX:
            raise BadValueError(
                f"gas_units of pool {self.pool_id} is {self.gas_units}; it must be from 1 to"
                f" {GAS_UNITS_MAX}"
            )

    def __str__(self) -> str:
        return f"{'-'.join(self.assets)} at {self.venue} {self.fee_text}"

    @property
    def pool_id(self) -> PoolId:
        """Return which pool it is, whatever its terms."""
        return PoolId(chain=self.chain, address=self.address)

    @property
    def venue(self) -> VenueId:
        """Return the venue as screens name it, a protocol at a chain: ``uniswap_v3@ethereum``."""
        return VenueId(f"{self.protocol}@{self.chain}")

    @property
    def assets(self) -> tuple[AssetCode, ...]:
        """Return the pool's assets in its own order."""
        return tuple(asset for asset, _ in self.tokens)

    @property
    def fee_text(self) -> str:
        """Return the fee as screens show it, such as ``0.05 %``."""
        percent = (self.fee_ratio * 100).normalize()
        return f"{percent:f} %"

    def check_named(self) -> None:
        """Check that its tokens are named by their addresses, as those of a real chain have to be.

        Raises:
            BadValueError: they are named by symbols, which anybody may choose.
        """
        if not self.token_addresses:
            raise BadValueError(
                f"the tokens of pool {self.pool_id} are named by symbols alone; on a live market a "
                "token is its chain and address"
            )

    def token_index(self, asset: AssetCode) -> int:
        """Return where an asset stands in the pool's order.

        Raises:
            BadValueError: the pool does not hold it.
        """
        if asset not in self.assets:
            raise BadValueError(f"{self} holds no {asset}")
        return self.assets.index(asset)

    def _check_protocol_fees(self) -> None:
        if not self.protocol_fee_ratios:
            return
        if self.protocol is not Protocol.UNISWAP_V4 or len(self.protocol_fee_ratios) != 2:  # noqa: PLR2004 - directions
            raise BadValueError(
                f"pool {self.pool_id} has protocol_fee_ratios {self.protocol_fee_ratios}; only"
                " uniswap_v4 adds any, one for each of two directions"
            )
        for ratio in self.protocol_fee_ratios:
            if not (ratio.is_finite() and 0 <= ratio <= PROTOCOL_FEE_RATIO_MAX):
                raise BadValueError(
                    f"a protocol fee of pool {self.pool_id} is {ratio}; it must be from 0 to"
                    f" {PROTOCOL_FEE_RATIO_MAX}"
                )

    def _check_identity(self) -> None:
        if not self.token_addresses:
            return
        if len(self.token_addresses) != len(self.tokens):
            raise BadValueError(
                f"pool {self.pool_id} has {len(self.tokens)} tokens and"
                f" {len(self.token_addresses)} addresses of them"
            )
        for address, (asset, decimals) in zip(self.token_addresses, self.tokens, strict=True):
            token = Token(chain=self.chain, address=address, decimals=decimals)
            if not is_code(asset, token):
                raise BadValueError(
                    f"{address} of pool {self.pool_id} is not {asset} but"
                    f" {asset_of(token, symbol=asset)}"
                )

    def _check_tokens(self) -> None:
        where = f"pool {self.pool_id}"
        if not 2 <= len(self.tokens) <= TOKENS_MAX:  # noqa: PLR2004 - a swap is between two
            raise BadValueError(f"{len(self.tokens)} tokens in {where}; 2 to {TOKENS_MAX} can be")
        for index, (asset, decimals) in enumerate(self.tokens):
            code = asset if not self.token_addresses else asset.partition("@")[0] or "0"
            if not (code.isascii() and code.isalnum() and len(asset) <= _NAME_CHARACTERS_MAX):
                raise BadValueError(f"token {index} of {where} has no code of an asset: {asset!r}")
            if asset in self.assets[:index]:
                raise BadValueError(f"{asset} twice in {where}: a swap would be from it to itself")
            if not TOKEN_DECIMALS_MIN <= decimals <= TOKEN_DECIMALS_MAX:
                raise BadValueError(
                    f"{asset} of {where} has {decimals} decimals; it must be"
                    f" {TOKEN_DECIMALS_MIN} to {TOKEN_DECIMALS_MAX}"
                )

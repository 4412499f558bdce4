"""The recorded Curve pools as states."""

from typing import Any

from engine.pools.curve import CurveState, QuoteOrder, make_curve
from engine.pools.curve_meta import MetaState, cached_virtual_price_e18, virtual_price_e18
from engine.pools.tricrypto import TricryptoState
from tests.pools.recordings import read_json

TRIPOOL = "curve_tripool_block_24407242.json"
META = "curve_metapool_rai_3crv_block_25144000.json"
META_BLOCKS = "curve_metapool_rai_3crv_multiblock_18850030_18850480.json"
TRICRYPTO = "curve_tricrypto_block_24407242.json"
BASE_TOKENS = ("DAI", "USDC", "USDT")
META_TOKENS = ("RAI", *BASE_TOKENS)
TRICRYPTO_TOKENS = ("USDT", "WBTC", "WETH")


def tripool(balances: list[int], amp: int, fee: int) -> CurveState:
    """Make the state of the oldest three-coin pool, whose `get_dy` converts before the fee."""
    return make_curve(
        pool="3pool",
        tokens=BASE_TOKENS,
        balances_raw=balances,
        decimals=(18, 6, 6),
        amp=amp,
        amp_precision=1,
        fee_e10=fee,
        quote_order=QuoteOrder.CONVERSION_FIRST,
    )


def recorded_tripool() -> tuple[CurveState, int]:
    """Return the state and the supply of its liquidity token."""
    recorded = read_json(TRIPOOL)
    state = tripool(recorded["balances"], recorded["a_coefficient"], recorded["fee"])
    return state, recorded["lp_token_total_supply"]


def _metapool(recorded: dict[str, Any], fee: int, base: CurveState, supply_raw: int) -> MetaState:
    price_e18 = cached_virtual_price_e18(
        cached_e18=recorded["base_virtual_price"],
        cached_at_s=recorded["base_cache_updated"],
        current_e18=virtual_price_e18(base, supply_raw=supply_raw),
        at_s=recorded["block_timestamp"],
    )
    pool = make_curve(
        pool="RAI/3Crv",
        tokens=("RAI", "3Crv"),
        balances_raw=recorded["balances"],
        decimals=(18, 18),
        coin_rates_e18=(recorded["redemption_price"], price_e18),
        amp=recorded["future_a"],
        amp_precision=100,
        fee_e10=fee,
    )
    return MetaState(pool=pool, base=base, base_supply_raw=supply_raw)


def recorded_metapool() -> MetaState:
    recorded = read_json(META)
    base = recorded["base_pool"]
    return _metapool(
        recorded,
        recorded["fee"],
        tripool(base["balances"], base["a_coefficient"], base["fee"]),
        base["lp_token_total_supply"],
    )


def recorded_metapool_blocks() -> dict[str, MetaState]:
    recorded = read_json(META_BLOCKS)
    fixed = recorded["immutable"]
    return {
        f"blk{block}": _metapool(
            state,
            fixed["fee"],
            tripool(state["base_balances"], state["base_a"], fixed["base_pool"]["fee"]),
            state["base_lp_token_total_supply"],
        )
        for block, state in recorded["states"].items()
    }


def recorded_tricrypto() -> TricryptoState:
    recorded = read_json(TRICRYPTO)
    dollars, bitcoins, ethers = recorded["balances"]
    return TricryptoState(
        balances_raw=(dollars, bitcoins, ethers),
        scales=(10**12, 10**10, 1),
        amp=recorded["a_coefficient"] * 100,
        gamma_e18=recorded["gamma"],
        d_e18=recorded["d"],
        price_scale_e18=(recorded["price_scale"][0], recorded["price_scale"][1]),
        fee_gamma_e18=recorded["fee_gamma"],
        mid_fee_e10=recorded["mid_fee"],
        out_fee_e10=recorded["out_fee"],
    )

"""What `/gas` is answered by a core as the engine builds it: each chain's price, worth and age."""

import dataclasses
from decimal import Decimal

import msgspec
import pytest

from engine.core.inputs.gas_priced import GasPriced
from engine.operate.core_parts import Core
from engine.pools.snapshots import PoolSnapshot
from engine.ports import LevelForm
from engine.requests.gas import make_gas_report
from tests.detect.test_live_pools import GAS_UNITS, pair_of
from tests.reference.run_core import make_run_core
from tests.reference.world import START_NS, make_instrument, write_side

S = 1_000_000_000


def pool_on(chain: str) -> PoolSnapshot:
    snapshot = pair_of(1_000, 2_000_000)
    return msgspec.structs.replace(snapshot, pool=dataclasses.replace(snapshot.pool, chain=chain))


def make_core() -> Core:
    core = make_run_core(
        [make_instrument("a", "ETH-USD")], [pool_on(chain) for chain in ("base", "bnb")]
    )
    core.board.replace(
        0,
        LevelForm.PAIRS,
        write_side([("1999.99", "5")]),
        write_side([("2000.01", "5")]),
        START_NS,
    )
    return core


def test_gas_and_bytes_are_told_in_usd_with_their_age() -> None:
    core = make_core()
    told = GasPriced(
        chain="base",
        gwei=Decimal("0.02"),
        data_fixed_raw=10**12,
        data_leg_raw=2 * 10**12,
        now_gwei=Decimal("0.019"),
    )
    core.hot_path.command(told, START_NS + S)

    base, bnb, ethereum = make_gas_report(core, START_NS + 3 * S).chains

    assert (base.chain, base.native, base.gwei, base.now_gwei) == (
        "base", "ETH", Decimal("0.02"), Decimal("0.019"),
    )  # fmt: skip
    assert (base.age_ms, base.too_old) == (2_000, "")
    assert base.native_usd == 2_000
    assert base.data_usd == Decimal("0.01")  # 5e12 wei
    assert base.route_usd == pytest.approx(
        Decimal(2 * GAS_UNITS) * 20 * 10**6 / 10**18 * 2_000 + Decimal("0.01")
    )
    assert (bnb.gwei, bnb.native_usd, bnb.route_usd) == (None, None, None)
    assert (ethereum.gwei, ethereum.age_ms, ethereum.route_usd) == (Decimal(1), None, None)

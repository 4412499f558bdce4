"""A plan that is approved can be sent: its gas is paid for, whatever base fees do by their rule."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.chains.discovery.making import GAS_UNITS
from engine.chains.gas.base_fee import FeeHeader, next_base_fee_wei
from engine.chains.gas.data_fee import Fork, L1Terms, data_fee_wei
from engine.chains.gas.route_bytes import signed_route
from engine.chains.gas.rules import LOCAL_RULE
from engine.chains.ports import Json
from engine.domain.assets import AssetCode
from engine.domain.gas import GasPrice, Tips, grown_wei, with_margin
from engine.domain.plans import AtomicPlan, GasBound
from engine.domain.pools import Pool, Protocol
from engine.quote.live_gas import (
    ALLOWANCE_GAS,
    BLOCKS_MAX,
    LOAN_GAS,
    SWAP_GAS,
    LiveGas,
    blocks_until_end,
    live_bound,
    needs_loan,
)
from engine.sending.beginnings import DeskTerms, bid_of, bound_beside
from engine.sending.calls import HeadNow, parse_landed
from engine.sending.fees import Bid, NoBid, bytes_wei
from engine.sending.policies import LOCAL_PRIVATE
from engine.sending.routes import RouteTerms
from tests.storage.makers import make_atomic_plan

SNAPSHOT = Path(__file__).parents[2] / "contracts" / "snapshots" / "routes.json"
ETH, USDC = AssetCode("ETH"), AssetCode("USDC")
GWEI = 10**9
GAS_LIMIT = 30_000_000
DATA = bytes(range(200))
RATE = Decimal(2_000)


def pool(
    protocol: Protocol = Protocol.UNISWAP_V2, address: str = "0xa", chain: str = "ethereum"
) -> Pool:
    return Pool(
        chain=chain,
        protocol=protocol,
        address=address,
        tokens=((ETH, 18), (USDC, 6)),
        fee_ratio=Decimal("0.003"),
        gas_units=100_000,
    )


def bound(
    price: GasPrice,
    *,
    gain: str = "100",
    blocks: int = 4,
    share_bps: int = 0,
    chain: str = "ethereum",
    rate: Decimal | None = RATE,
) -> GasBound:
    """What a transaction through two pools may pay."""
    units = 200_000
    amount = price.gwei * units / 10**9
    paper = GasBound(asset=ETH, units=units, price_gwei=price.gwei, amount=amount, quote=amount)
    pools = [pool(chain=chain), pool(address="0xb", chain=chain)]
    terms = LiveGas(blocks=blocks, bid_share_bps=share_bps)
    return live_bound(paper, price, pools, terms, gain=Decimal(gain), rate=rate)


def plan_with(gas: GasBound) -> AtomicPlan:
    return msgspec.structs.replace(make_atomic_plan(number=1), gas=gas)


def terms(*, l1: L1Terms | None = None, gas_of_bytes: tuple[int, int] | None = None) -> DeskTerms:
    return DeskTerms(
        chain="ethereum",
        wallet="0x" + "11" * 20,
        route=RouteTerms(chain_id=1, contract="0x" + "22" * 20, wrapped="0x" + "33" * 20),
        policy=LOCAL_PRIVATE,
        rule=LOCAL_RULE,
        l1=l1,
        gas_of_bytes=gas_of_bytes,
    )


def head_of(fees: FeeHeader) -> HeadNow:
    return HeadNow(
        hash="0x" + "44" * 32, ts=1, final=0, fees=fees, miner="0x" + "55" * 20, randomness=b""
    )


def header(number: int, base_fee_wei: int, used_share: float) -> FeeHeader:
    return FeeHeader(
        number=number,
        base_fee_wei=base_fee_wei,
        gas_used=int(GAS_LIMIT * used_share),
        gas_limit=GAS_LIMIT,
    )


@given(
    base_fee_wei=st.integers(1, 500 * GWEI),
    tip_wei=st.integers(0, 10 * GWEI),
    path=st.lists(st.floats(0, 1), min_size=1, max_size=BLOCKS_MAX + 1),
    used_units=st.integers(50_000, 200_000),
    share_bps=st.integers(0, 9_999),
    gain=st.decimals(0, 10_000, places=2),
)
def test_an_approved_plan_is_bid_for_on_every_path_of_the_base_fee_until_its_last_block(
    *,
    base_fee_wei: int,
    tip_wei: int,
    path: list[float],
    used_units: int,
    share_bps: int,
    gain: Decimal,
) -> None:
    heads = [header(1, base_fee_wei, path[0])]
    for number, used_share in enumerate(path[1:], 2):
        heads.append(header(number, next_base_fee_wei(heads[-1], LOCAL_RULE.base_fee), used_share))
    next_wei = next_base_fee_wei(heads[0], LOCAL_RULE.base_fee)
    tip_gwei = Decimal(tip_wei) / GWEI
    price = GasPrice(
        gwei=Decimal(next_wei) / GWEI + tip_gwei,
        tips=Tips(now=tip_gwei, least=Decimal(0), most=tip_gwei),
    )
    gas = bound(price, gain=f"{gain}", blocks=len(path) - 1, share_bps=share_bps)
    plan, own = plan_with(gas), terms()
    own.tip_wei = tip_wei
    assume(gain > gas.quote)  # else it is refused at the decision

    for head in heads:
        bid = bid_of(plan, DATA, used_units, head_of(head), own)

        assert isinstance(bid, Bid)
        assert bid.most_wei <= bound_beside(plan, 0)
        assert bid.fee_wei >= next_base_fee_wei(head, LOCAL_RULE.base_fee) + min(
            tip_wei, bid.tip_wei
        )


def test_a_base_fee_that_left_every_path_is_refused_with_both_figures() -> None:
    gas = bound(GasPrice(gwei=Decimal(10)), blocks=2)
    beyond = header(9, grown_wei(10 * GWEI, 2) * 9 // 8 + 2, 0.5)

    refused = bid_of(plan_with(gas), DATA, 200_000, head_of(beyond), terms())

    assert isinstance(refused, NoBid)
    assert "the plan pays" in refused.why


def test_what_is_expected_is_the_price_of_now_and_the_most_is_the_limit_at_the_end() -> None:
    tips = Tips(now=Decimal(1), least=Decimal(0), most=Decimal(1))
    gas = bound(GasPrice(gwei=Decimal(9), tips=tips), blocks=1)

    assert gas.limit_units == 260_000
    assert gas.expected == Decimal(200_000 * 9).scaleb(-9)
    assert gas.amount == Decimal(260_000 * (9 * GWEI + 1 + GWEI)).scaleb(-18)
    assert 0 <= gas.quote - gas.amount * 2_000 < Decimal("1e-8")
    assert gas.usual_quote == gas.expected * 2_000
    assert gas.data_amount + gas.bid == 0


def test_a_bid_is_a_share_of_what_the_dearest_gas_leaves_and_paid_by_what_is_used() -> None:
    plain = bound(GasPrice(gwei=Decimal(10)), gain="0.01", rate=None)
    bidding = bound(GasPrice(gwei=Decimal(10)), gain="0.01", rate=None, share_bps=5_000)

    assert bidding.bid == (Decimal("0.01") - plain.amount) / 2
    assert bidding.amount == plain.amount + bidding.bid
    paid = bidding.expected - plain.expected
    assert abs(paid - bidding.bid * 10 / 13) < Decimal("1e-17")
    assert bidding.amount < Decimal("0.01"), "at the worst something is left"


def test_a_gain_that_gas_may_eat_bids_nothing() -> None:
    assert bound(GasPrice(gwei=Decimal(10)), gain="0.001", rate=None, share_bps=9_000).bid == 0


def test_a_route_that_no_pool_lends_for_has_gas_for_its_lender() -> None:
    price = GasPrice(gwei=Decimal(1))
    paper = GasBound(
        asset=ETH, units=200_000, price_gwei=Decimal(1), amount=Decimal(1), quote=Decimal(1)
    )

    def limit_of(*pools: Pool) -> int:
        return live_bound(
            paper, price, pools, LiveGas(blocks=1), gain=Decimal(1), rate=None
        ).limit_units

    vault = pool(Protocol.BALANCER_WEIGHTED, "0xc")
    assert limit_of(pool(), vault) == with_margin(200_000)
    assert limit_of(vault, pool()) == with_margin(200_000 + LOAN_GAS)
    assert needs_loan([pool(), vault, pool()]), "a pair that waits to be paid is locked"
    manager = pool(Protocol.UNISWAP_V4, "0xd")
    assert not needs_loan([manager, vault, manager])


def test_a_swap_is_bound_with_what_allows_it_and_lends_nothing() -> None:
    price = GasPrice(gwei=Decimal(1), data_fixed_raw=7 * GWEI, data_leg_raw=2 * GWEI)
    paper = GasBound(
        asset=ETH, units=200_000, price_gwei=Decimal(1), amount=Decimal(1), quote=Decimal(1)
    )

    def of(*, is_swap: bool) -> GasBound:
        vault = pool(Protocol.BALANCER_WEIGHTED, "0xc")
        terms = LiveGas(blocks=1)
        return live_bound(paper, price, [vault], terms, gain=Decimal(1), rate=None, is_swap=is_swap)

    both, alone = of(is_swap=True), of(is_swap=False)
    assert both.limit_units == with_margin(200_000 + ALLOWANCE_GAS + SWAP_GAS)
    twice = 2 * alone.data_amount
    assert abs(both.data_amount - twice) < Decimal("1e-15"), "each has bytes of its own"


def test_a_swap_takes_no_more_beside_its_pools_than_is_reckoned_with() -> None:
    said = {what: int(gas) for what, gas in json.loads(SNAPSHOT.read_text()).items()}

    assert said["allowance for a swap"] <= ALLOWANCE_GAS
    for what, protocols in (
        ("swap V2", [Protocol.UNISWAP_V2]),
        ("swap V3", [Protocol.UNISWAP_V3]),
        ("swap V4 (coin)", [Protocol.UNISWAP_V4]),
        ("swap V3 > V4", [Protocol.UNISWAP_V3, Protocol.UNISWAP_V4]),
        ("swap Balancer", [Protocol.BALANCER_WEIGHTED]),
    ):
        assert said[what] <= sum(GAS_UNITS[one] for one in protocols) + SWAP_GAS, what


def test_a_plan_outlives_what_a_price_is_old_and_the_blocks_that_may_hold_it() -> None:
    assert blocks_until_end(12_000, 1_000) == 4
    assert blocks_until_end(2_000, 1_000) == 4
    assert blocks_until_end(250, 1_000) == BLOCKS_MAX
    assert blocks_until_end(0, 1_000) == BLOCKS_MAX


# ---- what bytes cost on rollups --------------------------------------------------------------

L1 = L1Terms(
    fork=Fork.FJORD,
    base_fee_wei=20 * GWEI,
    blob_base_fee_wei=10**9,
    base_fee_scalar=5_227,
    blob_base_fee_scalar=1_014_213,
)


def priced_with_bytes(fixed_wei: int, leg_wei: int) -> GasPrice:
    return GasPrice(gwei=Decimal("0.01"), data_fixed_raw=fixed_wei, data_leg_raw=leg_wei)


def test_the_bytes_of_a_plan_may_cost_what_two_blocks_of_ethereum_make_of_them() -> None:
    gas = bound(priced_with_bytes(10**12, 10**11), chain="base", rate=None)

    assert gas.data_amount == Decimal(grown_wei(12 * 10**11, 2)).scaleb(-18)
    assert gas.expected == Decimal(200_000 * 10**7 + 12 * 10**11).scaleb(-18)


def test_the_sender_leaves_bytes_paid_for_by_the_formula_and_refuses_what_they_eat() -> None:
    fee_wei = data_fee_wei(L1, signed_route(1, 2))
    gas = bound(priced_with_bytes(fee_wei, 0), chain="base", rate=None)
    plan, own = plan_with(gas), terms(l1=L1)
    head = head_of(header(1, 10**7, 0.5))

    bid = bid_of(plan, DATA, 200_000, head, own)

    assert isinstance(bid, Bid)
    total_wei = int(gas.amount.scaleb(18))
    assert bid.most_wei + bytes_wei(own.fees(head), signed_route(1, 2), gas_limit=1) <= total_wei
    dear = msgspec.structs.replace(L1, base_fee_wei=100 * L1.base_fee_wei)
    assert isinstance(bid_of(plan, DATA, 200_000, head, terms(l1=dear)), NoBid)


def test_on_arbitrum_bytes_are_gas_of_the_limit_and_no_amount_beside_it() -> None:
    price = priced_with_bytes(10**12, 10**11)
    gas = bound(price, chain="arbitrum", rate=None)

    assert gas.data_amount == 0
    bytes_wei_now = 12 * 10**11
    assert gas.limit_units == 260_000 + -(grown_wei(bytes_wei_now, 2) // -(10**7))
    own = terms(gas_of_bytes=(10**12, 10**11))
    bid = bid_of(plan_with(gas), DATA, 200_000, head_of(header(1, 10**7, 0.5)), own)
    assert isinstance(bid, Bid)
    assert bid.gas_limit == 260_000 + bytes_wei_now // 10**7


def receipt_with(**fields: str) -> dict[str, Json]:
    return {
        "transactionHash": "0x" + "66" * 32,
        "blockNumber": "0x9",
        "blockHash": "0x" + "77" * 32,
        "status": "0x1",
        "gasUsed": hex(180_000),
        "effectiveGasPrice": hex(GWEI),
        **fields,
    }


def beside_gas_wei(**fields: str) -> int:
    landed = parse_landed(receipt_with(**fields))
    assert landed is not None
    return landed.data_fee_wei


def test_what_is_booked_has_the_bytes_and_what_a_rollups_operator_took() -> None:
    operator = {"operatorFeeScalar": hex(500), "operatorFeeConstant": hex(7)}

    assert beside_gas_wei() == 0
    assert beside_gas_wei(l1Fee=hex(9_833_984_542)) == 9_833_984_542
    assert beside_gas_wei(l1Fee="0x5", **operator) == 5 + 180_000 * 500 // 10**6 + 7
    footprint = {"daFootprintGasScalar": hex(400)}
    assert beside_gas_wei(l1Fee="0x5", **operator, **footprint) == 5 + 180_000 * 500 * 100 + 7


def test_the_formula_gives_what_a_block_of_an_op_stack_chain_took() -> None:
    terms = L1Terms(
        fork=Fork.JOVIAN,
        base_fee_wei=401_448_161,
        blob_base_fee_wei=23_248_065,
        base_fee_scalar=9_736,
        blob_base_fee_scalar=1_540_079,
    )

    assert data_fee_wei(terms, b"\0" * 110) == 9_833_984_542

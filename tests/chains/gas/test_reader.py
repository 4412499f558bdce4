"""What a chain's reader makes of a node's answers, true ones and absurd ones."""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from eth_utils.crypto import keccak

from engine.chains.gas.data_fee import Fork, L1Terms, data_fee_wei, unsigned_data_fee_wei
from engine.chains.gas.data_fee_calls import arbitrum_calls, op_stack_calls
from engine.chains.gas.reader import GasReader, GasSeen
from engine.chains.gas.route_bytes import ROUTE_LEGS, signed_route, unsigned_route
from engine.chains.gas.rules import GAS_RULES
from engine.chains.ports import Json, NodeError, Refusal
from engine.domain.chains import CHAINS
from tests.chains.gas.scripted_node import Answer, ScriptedNode
from tests.chains.gas.test_base_fee import holocene, jovian

HASH = "0x" + "ab" * 32
GWEI = 10**9
OP_CALLS = len(op_stack_calls(10))


def block(**changes: Json) -> dict[str, Json]:
    return {
        "number": "0x64",
        "hash": HASH,
        "baseFeePerGas": hex(GWEI),
        "gasUsed": hex(15_000_000),
        "gasLimit": hex(30_000_000),
        "timestamp": hex(1_700_000_000),
        "extraData": "0x",
        **changes,
    }


def history(tips: Sequence[int], next_wei: int = GWEI, **changes: Any) -> Any:
    return {
        "oldestBlock": hex(100 - len(tips) + 1),
        "baseFeePerGas": [hex(GWEI)] * len(tips) + [hex(next_wei)],
        "gasUsedRatio": [0.5] * len(tips),
        "reward": [[hex(tip // 2), hex(tip), hex(2 * tip)] for tip in tips],
        **changes,
    }


def word(number: int) -> str:
    return "0x" + number.to_bytes(32).hex()


def read(chain: str, answer: Callable[[str, Sequence[Json]], Answer]) -> GasSeen:
    reader = GasReader(CHAINS[chain], GAS_RULES[chain], ScriptedNode(answer))
    return asyncio.run(reader.read())


def plain(newest: Answer, paid: Answer, calls: Sequence[Answer] = ()) -> Any:
    left = list(calls)

    def answer(method: str, _params: Sequence[Json]) -> Answer:
        if method == "eth_getBlockByNumber":
            return newest
        return paid if method == "eth_feeHistory" else left.pop(0)

    return answer


def test_selectors_are_those_of_the_signatures() -> None:
    names = (
        "basefee()",
        "blobBaseFee()",
        "baseFeeScalar()",
        "blobBaseFeeScalar()",
        "operatorFeeScalar()",
        "operatorFeeConstant()",
        "getL1Fee(bytes)",
    )
    calls = op_stack_calls(10)

    assert [call.data[:4] for call in calls] == [keccak(text=name)[:4] for name in names]
    component = keccak(text="gasEstimateL1Component(address,bool,bytes)")[:4]
    assert {call.data[:4] for call in arbitrum_calls()} == {component}


def test_ethereum_s_next_base_fee_and_the_newest_tip_make_the_price() -> None:
    seen = read("ethereum", plain(block(gasUsed=hex(30_000_000)), history([5, 7], GWEI * 9 // 8)))

    assert seen.base_fee_wei == GWEI * 9 // 8
    assert seen.tip_wei == 7
    assert seen.price.gwei == Decimal("1.125000007")
    assert seen.price.now_gwei == Decimal("1.000000007")
    assert (seen.price.data_fixed_raw, seen.price.data_leg_raw) == (0, 0)


def test_empty_blocks_say_no_tip() -> None:
    paid = history([9, 0], gasUsedRatio=[0.5, 0.0])

    assert read("ethereum", plain(block(), paid)).tip_wei == 9


def test_bnb_has_a_floor_and_polygon_a_least_tip() -> None:
    bnb = read("bnb", plain(block(baseFeePerGas="0x0"), history([3], 0)))
    polygon = read("polygon", plain(block(gasUsed=hex(19_500_000)), history([GWEI])))

    assert bnb.price.gwei == Decimal("0.05")
    assert polygon.price.gwei == 26


def test_polygon_s_producer_chooses_within_its_bound() -> None:
    told = GWEI * 105 // 100

    assert read("polygon", plain(block(), history([GWEI], told))).base_fee_wei == told
    with pytest.raises(NodeError, match="lied"):
        read("polygon", plain(block(), history([GWEI], told + 1)))


def test_a_next_base_fee_that_the_header_does_not_make_is_a_lie() -> None:
    with pytest.raises(NodeError, match="whose header makes it 1000000000") as raised:
        read("ethereum", plain(block(), history([5], GWEI + 1)))

    assert raised.value.refusal is Refusal.LIED


def test_a_history_of_the_block_behind_says_the_tip_and_no_base_fee() -> None:
    after = history([5], 77 * GWEI, oldestBlock=hex(101))

    assert read("ethereum", plain(block(), after)).base_fee_wei == GWEI
    with pytest.raises(NodeError, match="ends at 103"):
        read("ethereum", plain(block(), history([5], oldestBlock=hex(103))))


def test_arbitrum_drops_tips_and_charges_gas_for_bytes() -> None:
    calls = ["0x" + b"".join(n.to_bytes(32) for n in (400 + 90 * legs, 10**7, 30)).hex()
             for legs in ROUTE_LEGS]  # fmt: skip
    node = ScriptedNode(plain(block(baseFeePerGas=hex(10**7)), None, calls))
    reader = GasReader(CHAINS["arbitrum"], GAS_RULES["arbitrum"], node)

    seen = asyncio.run(reader.read())

    assert seen.price.gwei == Decimal("0.01")
    assert seen.price.data_raw(2) == 580 * 10**7
    assert not any(method == "eth_feeHistory" for method, _ in node.asked)
    assert all(
        params[1] == {"blockHash": HASH} for method, params in node.asked if method == "eth_call"
    )


TERMS = L1Terms(
    fork=Fork.FJORD,
    base_fee_wei=7 * GWEI,
    blob_base_fee_wei=123_456,
    base_fee_scalar=5_227,
    blob_base_fee_scalar=1_014_213,
)
REVERTED = NodeError(Refusal.REFUSED, "execution reverted")


def l1_answers(operator: Sequence[Answer], oracle: Answer) -> list[Answer]:
    return [
        word(TERMS.base_fee_wei),
        word(TERMS.blob_base_fee_wei),
        word(TERMS.base_fee_scalar),
        word(TERMS.blob_base_fee_scalar),
        *operator,
        oracle,
    ]


ORACLE_WEI = unsigned_data_fee_wei(TERMS, unsigned_route(10, 2))


def read_optimism(extra: bytes, answers: Sequence[Answer]) -> GasSeen:
    newest = block(
        baseFeePerGas=hex(10**6),
        gasUsed=hex(5_000_000),
        extraData="0x" + extra.hex(),
    )
    return read("optimism", plain(newest, history([50], 10**6), answers))


def test_a_rollup_s_bytes_cost_what_the_formula_says() -> None:
    seen = read_optimism(holocene(250, 6), l1_answers([REVERTED, REVERTED], word(ORACLE_WEI)))

    for legs in ROUTE_LEGS:
        exact = data_fee_wei(TERMS, signed_route(10, legs))
        assert exact <= seen.price.data_raw(legs) <= exact * 1.03
    assert seen.price.gwei == Decimal("0.00100005")
    assert seen.doubt == ""


def test_the_operator_s_fee_is_in_the_price_and_its_constant_in_the_bytes() -> None:
    bare = read_optimism(holocene(250, 6), l1_answers([REVERTED, REVERTED], word(ORACLE_WEI)))
    isthmus = read_optimism(
        holocene(250, 6), l1_answers([word(1_500_000), word(77)], word(ORACLE_WEI))
    )
    jovian_one = read_optimism(jovian(250, 6, 0), l1_answers([word(2), word(0)], word(ORACLE_WEI)))

    assert isthmus.price.gwei - bare.price.gwei == Decimal("0.0000000015")
    assert isthmus.price.data_fixed_raw - bare.price.data_fixed_raw == 77
    assert jovian_one.price.gwei - bare.price.gwei == Decimal("0.0000002")


def test_what_the_chain_asks_above_the_known_formula_is_reckoned_with_and_said() -> None:
    operator = [REVERTED, REVERTED]
    known = read_optimism(holocene(250, 6), l1_answers(operator, word(ORACLE_WEI)))
    dearer = read_optimism(holocene(250, 6), l1_answers(operator, word(3 * ORACLE_WEI)))
    cheaper = read_optimism(holocene(250, 6), l1_answers(operator, word(ORACLE_WEI // 2)))

    assert 3 * known.price.data_raw(2) <= dearer.price.data_raw(2) + 9
    assert "the known formula" in dearer.doubt
    assert cheaper.price.data_raw(2) == known.price.data_raw(2)
    assert "the known formula" in cheaper.doubt


AWAY = NodeError(Refusal.AWAY, "nobody there")


@pytest.mark.parametrize(
    ("extra", "answers"),
    [
        (holocene(250, 6), ["0x"] * OP_CALLS),
        (holocene(250, 6), [None] * OP_CALLS),
        (holocene(250, 6), l1_answers([AWAY, AWAY], word(ORACLE_WEI))),
        (holocene(250, 6), l1_answers([word(1), REVERTED], AWAY)),
        (holocene(250, 6), l1_answers([word(2**33), word(0)], word(ORACLE_WEI))),
        (holocene(250, 6), l1_answers([REVERTED, REVERTED], word(2**255))),
        (holocene(250, 6), l1_answers([REVERTED, REVERTED], "0x" + "00" * 64)),
        (jovian(250, 6, 1), l1_answers([REVERTED, REVERTED], word(ORACLE_WEI))),
        (b"", l1_answers([REVERTED, REVERTED], word(ORACLE_WEI))),
    ],
)
def test_a_rollup_without_a_sure_fee_for_bytes_has_no_price(
    extra: bytes, answers: Sequence[Answer]
) -> None:
    with pytest.raises(NodeError):
        read_optimism(extra, answers)


@pytest.mark.parametrize(
    "newest",
    [
        None,
        [],
        "0x1",
        {},
        block(hash="0xab"),
        block(hash=None),
        block(number="0x" + "f" * 64),
        block(baseFeePerGas=None),
        block(baseFeePerGas=hex(10**16)),
        block(gasUsed="0x" + "f" * 60),
        block(gasUsed=7),
        block(gasLimit="0x0"),
        block(gasLimit="x"),
        block(timestamp=None),
        block(timestamp="0x" + "f" * 20),
        block(extraData="0xzz"),
        AWAY,
    ],
)
def test_an_absurd_block_is_no_price(newest: Answer) -> None:
    with pytest.raises(NodeError):
        read("ethereum", plain(newest, history([5])))


@pytest.mark.parametrize("paid", [None, {}, AWAY, history([]), history([10**16])])
def test_an_absurd_history_is_no_price(paid: Answer) -> None:
    with pytest.raises(NodeError):
        read("ethereum", plain(block(), paid))


@pytest.mark.parametrize(
    "calls",
    [
        ["0x"] * 5,
        ["0x" + "ff" * 96] * 5,
        ["0x" + b"".join(n.to_bytes(32) for n in (9 - legs, 1, 1)).hex() for legs in ROUTE_LEGS],
        [AWAY] * 5,
    ],
)
def test_an_absurd_estimate_of_arbitrum_is_no_price(calls: Sequence[Answer]) -> None:
    with pytest.raises(NodeError):
        read("arbitrum", plain(block(), None, calls))


def test_a_history_that_lacks_older_blocks_says_the_tip_and_no_base_fee() -> None:
    short = history([7], 77 * GWEI, oldestBlock=hex(81))  # 20 were asked for, up to block 100

    seen = read("ethereum", plain(block(), short))

    assert (seen.base_fee_wei, seen.tip_wei) == (GWEI, 7)


def test_the_price_of_bytes_is_asked_once_in_a_block_of_l1() -> None:
    newest = {"baseFeePerGas": hex(10**6), "gasUsed": hex(5_000_000)}
    answers = l1_answers([REVERTED, REVERTED], word(ORACLE_WEI))
    extra = "0x" + holocene(250, 6).hex()
    node = ScriptedNode(plain(None, None))
    reader = GasReader(CHAINS["optimism"], GAS_RULES["optimism"], node)

    def asked_at(made_at_s: int) -> int:
        node.asked.clear()
        head = block(**newest, extraData=extra, timestamp=hex(made_at_s))
        node.answer = plain(head, history([50], 10**6), answers)
        seen = asyncio.run(reader.read())
        assert seen.price.data_raw(2) >= data_fee_wei(TERMS, signed_route(10, 2))
        return sum(method == "eth_call" for method, _ in node.asked)

    assert [asked_at(at_s) for at_s in (1_200, 1_202, 1_211, 1_212)] == [7, 0, 0, 7]


def test_a_tip_is_advised_within_what_newest_blocks_were_paid_not_below_the_floor() -> None:
    seen = read("ethereum", plain(block(), history([4, 6, 5])))
    polygon = read("polygon", plain(block(), history([4, 6, 5])))

    assert seen.price.tips is not None
    assert [int(one * GWEI) for one in msgspec.structs.astuple(seen.price.tips)] == [5, 4, 12]
    assert polygon.price.tips is not None
    assert polygon.price.tips.least == polygon.price.tips.now == 25


def test_without_a_history_no_tip_is_told() -> None:
    assert read("ethereum", plain(block(), history([0], gasUsedRatio=[0.0]))).price.tips is None

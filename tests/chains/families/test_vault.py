"""Balancer's vault tells what flowed; balances after all flows are those that it holds."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.families.balancer_stable import BalancerStable
from engine.chains.families.balancer_weighted import BalancerWeighted
from engine.chains.ports import ReadAgain
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools.blocks import PoolMoved
from engine.pools.moves import FlowsMove, moved, undoing
from engine.pools.snapshot_rows import WeightedRow
from tests.chains.families.logs import make_log, make_pool

VAULT = "0x" + "ba" * 20
CONTRACT = "0x" + "ab" * 20
ID = CONTRACT + "0002" + "00" * 9 + "07"
WHO = "0x" + "11" * 20
TOKEN_ADDRESSES = ("0x" + "21" * 20, "0x" + "22" * 20)
SWAP = "Swap(bytes32,address,address,uint256,uint256)"
CHANGED = "PoolBalanceChanged(bytes32,address,address[],int256[],uint256[])"
MANAGED = "PoolBalanceManaged(bytes32,address,address,int256,int256)"

AMOUNT = st.integers(0, 2**112 - 1)
SIGNED = st.integers(-(2**112), 2**112)


def vault_pool() -> Pool:
    codes = tuple((AssetCode(f"X@ethereum:{address}"), 18) for address in TOKEN_ADDRESSES)
    plain = make_pool(Protocol.BALANCER_WEIGHTED, ID)
    return replace(plain, tokens=codes, token_addresses=TOKEN_ADDRESSES)


def flows(*flows_raw: int) -> PoolMoved:
    return PoolMoved(address=ID, move=FlowsMove(flows_raw=flows_raw))


def told(signature: str, indexed: Sequence[object], values: Sequence[object]) -> object:
    log = make_log(signature, indexed, values, indexed_at=range(len(indexed)), address=VAULT)
    family = BalancerWeighted(frozenset((VAULT,)))
    assert family.address_of(log) == ID
    return family.change_of(vault_pool(), log)


@given(st.integers(1, 2**112 - 1), st.integers(1, 2**112 - 1))
def test_a_swap_flows_in_and_out(amount_in: int, amount_out: int) -> None:
    said = told(SWAP, (bytes.fromhex(ID[2:]), *TOKEN_ADDRESSES[::-1]), (amount_in, amount_out))

    assert said == flows(-amount_out, amount_in)


def test_a_swap_with_the_pool_s_own_share_flows_one_way() -> None:
    share_in = told(SWAP, (bytes.fromhex(ID[2:]), CONTRACT, TOKEN_ADDRESSES[1]), (5, 9))
    share_out = told(SWAP, (bytes.fromhex(ID[2:]), TOKEN_ADDRESSES[0], CONTRACT), (5, 9))

    assert share_in == flows(0, -9)
    assert share_out == flows(5, 0)


@given(st.tuples(SIGNED, SIGNED, SIGNED), st.tuples(AMOUNT, AMOUNT, AMOUNT))
def test_a_join_flows_less_what_the_protocol_took(
    deltas: tuple[int, int, int], fees: tuple[int, int, int]
) -> None:
    tokens = (TOKEN_ADDRESSES[0], CONTRACT, TOKEN_ADDRESSES[1])

    said = told(CHANGED, (bytes.fromhex(ID[2:]), WHO), (tokens, deltas, fees))

    kept = (deltas[0] - fees[0], deltas[2] - fees[2])
    assert said == (flows(*kept) if any(kept) else None)


def test_what_a_manager_lends_is_the_pool_s_still() -> None:
    terms = (bytes.fromhex(ID[2:]), WHO, TOKEN_ADDRESSES[0])

    assert told(MANAGED, terms, (-7, 7)) is None
    assert told(MANAGED, terms, (0, 7)) == flows(7, 0)


def test_a_token_that_is_not_the_pool_s_is_refused() -> None:
    with pytest.raises(BadValueError, match="no token of pool"):
        told(SWAP, (bytes.fromhex(ID[2:]), WHO, TOKEN_ADDRESSES[1]), (5, 9))


@pytest.mark.parametrize("family", [BalancerStable, BalancerWeighted])
def test_another_contract_s_words_of_the_vault_move_nothing(
    family: type[BalancerStable | BalancerWeighted],
) -> None:
    log = make_log(
        SWAP,
        (bytes.fromhex(ID[2:]), *TOKEN_ADDRESSES),
        (5, 9),
        indexed_at=(0, 1, 2),
        address=CONTRACT,
    )

    assert family(frozenset((VAULT,))).change_of(vault_pool(), log) is None


def test_a_fee_told_by_the_pool_s_contract_takes_a_reading() -> None:
    log = make_log("SwapFeePercentageChanged(uint256)", values=(10**16,), address=CONTRACT)

    said = BalancerWeighted(frozenset((VAULT,))).change_of(vault_pool(), log)

    assert isinstance(said, ReadAgain)


def test_flows_are_added_to_balances_and_undone() -> None:
    pool = vault_pool()
    row = WeightedRow(
        balances_raw=(str(10**21), str(2 * 10**21)),
        weights_e18=(str(5 * 10**17), str(5 * 10**17)),
        has_shortcuts=True,
    )
    state = row.state(pool)

    row_after, state_after = moved(pool, row, state, FlowsMove(flows_raw=(7, -11)))
    back = undoing(state, [FlowsMove(flows_raw=(7, -11))])
    for move in back:
        row_after_undone, _ = moved(pool, row_after, state_after, move)

    assert isinstance(row_after, WeightedRow)
    assert row_after.balances_raw == (str(10**21 + 7), str(2 * 10**21 - 11))
    assert row_after_undone == row
    for bad in ((1,), (1, 2, 3), (0, -3 * 10**21)):
        with pytest.raises(BadValueError):
            moved(pool, row, state, FlowsMove(flows_raw=bad))

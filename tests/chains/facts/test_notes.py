"""What a block was is noted as it is told, bounded, and kept over restarts and reorganisations."""

import sqlite3
from pathlib import Path

import pytest

from engine.chains.facts.notes import HEADS_MAX, OPEN_MAX, SWAPS_MAX, WAITS_MAX, BlockNotes, Written
from engine.chains.facts.ring import DOUBTED, LOOKED_AT, FactRing, open_ring
from engine.chains.gas.fee_history import FeeHistory, PaidBlock
from engine.chains.ports import Json
from engine.domain.block_facts import BlockFact, Swap, Wait
from engine.pools.blocks import Block

SWAP = Swap(
    index=3,
    tx="0xt",
    sender="0xa",
    recipient="0xb",
    pool="0xp",
    source="ETH",
    target="USDC",
    amount_in=1.0,
    amount_out=2_000.0,
    usd=2_000.0,
)


def block(number: int, *, branch: str = "a", undone: int = 0) -> Block:
    return Block(
        chain="base",
        number=number,
        hash=f"{branch}{number}",
        parent_hash=f"{branch}{number - 1}",
        made_at_ns=number,
        undone=undone,
    )


def noted(count: int, *, first: int = 1) -> BlockNotes:
    notes = BlockNotes()
    for number in range(first, first + count):
        notes.told(block(number), at_ns=number)
    return notes


def facts(written: Written) -> list[BlockFact]:
    return list(written.facts)


def test_a_block_is_noted_with_its_header_its_swaps_and_what_was_tipped() -> None:
    notes = BlockNotes()
    notes.data_raw = 77
    said: dict[str, Json] = {
        "baseFeePerGas": "0x3b9aca00",
        "gasUsed": "0x10",
        "gasLimit": "0x20",
    }
    notes.head("a5", said, heard_at_ns=90)
    notes.head("a5", said | {"transactions": ["0x1", "0x2"]}, heard_at_ns=0)  # asked for later
    notes.told(block(5), at_ns=100)
    notes.swapped(5, "a5", [SWAP])
    notes.swapped(5, "b5", [SWAP, SWAP])
    notes.took(5, "a5", [Wait(heard_at_ns=70, tip_gwei=2.0)])
    notes.took(5, "b5", [])
    tips_wei = (10**9, 2 * 10**9, 5 * 10**9)
    paid = PaidBlock(base_fee_wei=1, used_ratio=0.5, tip_wei=tips_wei[1], tips_wei=tips_wei)
    notes.paid(FeeHistory(newest=5, blocks=(paid,), next_base_fee_wei=1))

    (fact,) = facts(notes.take())

    assert (fact.heard_at_ns, fact.told_at_ns, fact.base_fee_gwei) == (90, 100, 1.0)
    assert (fact.gas_used, fact.gas_limit, fact.transactions) == (16, 32, 2)
    assert (fact.tips_gwei, fact.data_raw, fact.swaps) == ((1.0, 2.0, 5.0), 77, (SWAP,))
    assert fact.waits == (Wait(heard_at_ns=70, tip_gwei=2.0),)
    assert facts(notes.take()) == []


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {"baseFeePerGas": 7},
        {"gasUsed": "0x" + "f" * 64},
        {"gasLimit": "-1"},
        {"baseFeePerGas": "0xzz"},
    ],
)
def test_a_header_that_cannot_be_true_leaves_its_figures_out_and_is_counted(said: Json) -> None:
    notes = BlockNotes()
    notes.head("a5", said, heard_at_ns=90)
    notes.told(block(5), at_ns=100)

    (fact,) = facts(notes.take())

    assert (fact.heard_at_ns, fact.base_fee_gwei, fact.gas_used, notes.bad_heads) == (90, 0, 0, 1)


def test_nothing_that_nodes_say_grows_without_bound() -> None:
    notes = BlockNotes()
    for number in range(3 * HEADS_MAX):
        notes.head(f"x{number}", {"transactions": ["0x"] * 10}, heard_at_ns=1)
        notes.told(block(number + 1), at_ns=1)
        notes.swapped(number + 1, f"a{number + 1}", [SWAP] * (SWAPS_MAX + 1))
        waits = [Wait(heard_at_ns=1, tip_gwei=1.0)] * (WAITS_MAX + 1)
        notes.took(number + 1, f"a{number + 1}", waits)

    assert len(notes._heads) == HEADS_MAX
    assert len(notes._open) == 2 * OPEN_MAX  # as nobody wrote them
    assert notes.cut == 3 * HEADS_MAX
    assert all(
        (len(fact.swaps), len(fact.waits)) == (SWAPS_MAX, WAITS_MAX) for fact in notes.take().facts
    )


def test_what_is_undone_is_gone_from_the_ring_too(tmp_path: Path) -> None:
    with open_ring(tmp_path / "base.blocks", chain_id=1) as ring:
        notes = noted(10)
        ring.write(notes.take())
        notes.told(block(8, branch="b", undone=3), at_ns=1)
        ring.write(notes.take())

        assert [fact.hash for fact in ring.newest(4)] == ["a5", "a6", "a7", "b8"]


def test_it_is_kept_over_a_restart_unless_the_chain_went_another_way(tmp_path: Path) -> None:
    path = tmp_path / "base.blocks"
    with open_ring(path, chain_id=1) as ring:
        ring.write(noted(100).take())
    same, other = BlockNotes(), BlockNotes()
    same.told(block(101), at_ns=1)
    with open_ring(path, chain_id=1) as ring:
        assert ring.begin(101, "a101", "a100") is None
        ring.write(same.take())
        assert [fact.number for fact in ring.newest(200)] == list(range(1, 102))
    other.told(block(102, branch="b"), at_ns=1)
    with open_ring(path, chain_id=1) as ring:
        known = ring.begin(101, "a101", "a100")
        assert known is not None
        assert known.hash == "a101"
        assert ring.begin(102, "b102", "b101") is None
        ring.write(other.take())
        assert [fact.number for fact in ring.newest(200)][-2:] == [101 - DOUBTED, 102]


def test_the_ring_keeps_the_newest_within_its_bounds(tmp_path: Path) -> None:
    path = tmp_path / "base.blocks"
    with open_ring(path, chain_id=1):
        pass
    file = sqlite3.connect(path, isolation_level=None)
    ring = FactRing(file, blocks_kept=100, bytes_kept=1_000_000)
    for start in range(1, 4 * LOOKED_AT * 2, 2):
        ring.write(noted(2, first=start).take())

    kept = [fact.number for fact in ring.newest(10_000)]
    assert kept[-1] == 4 * LOOKED_AT * 2
    assert 95 <= len(kept) <= 100 + 2 * LOOKED_AT
    assert kept == list(range(kept[0], kept[-1] + 1))
    small = FactRing(file, blocks_kept=10_000, bytes_kept=2_000)
    small.write(noted(1, first=10_000).take())
    assert sum(len(row[0]) for row in file.execute("SELECT fact FROM facts")) <= 2_000
    assert small.newest(10)[-1].number == 10_000
    assert len(small.newest(10, bytes_max=400)) < 4
    file.close()


@pytest.mark.parametrize("damage", ["text", "form", "chain"])
def test_a_file_that_cannot_be_used_is_begun_anew(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "base.blocks"
    with open_ring(path, chain_id=1) as ring:
        ring.write(noted(5).take())
    if damage == "text":
        path.write_bytes(b"no database" * 100)
    elif damage == "form":
        with sqlite3.connect(path) as file:
            file.execute("PRAGMA user_version = 99")
        file.close()

    with open_ring(path, chain_id=2 if damage == "chain" else 1) as ring:
        assert ring.newest(10) == []
        ring.write(noted(1).take())
        assert len(ring.newest(10)) == 1


def test_where_no_file_can_be_blocks_are_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    with open_ring(tmp_path / "taken" / "base.blocks", chain_id=1) as ring:
        ring.write(noted(1, first=7).take())

        assert [one.number for one in ring.newest(5)] == [7]


def test_a_file_that_another_has_open_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "base.blocks"
    with open_ring(path, chain_id=1) as first:
        first.write(noted(1, first=7).take())
        with open_ring(path, chain_id=1) as second:
            assert second.newest(5) == []

    with open_ring(path, chain_id=1) as again:
        assert [one.number for one in again.newest(5)] == [7]

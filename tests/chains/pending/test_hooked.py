"""What webhooks tell prepares, what a pool is its node says, and who lies is doubted."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from engine.bus.hooked import HookEvent, HookLine, HooksTaken, Level
from engine.chains.pending.hook_stream import LATE_NS, WRONG_COSTS, HookStream
from engine.chains.pending.whales import WhaleTerms
from engine.chains.ports import BlockRef, Log
from engine.chains.rpc.parsing import parse_log
from engine.pools.blocks import SwapTold
from tests.chains.pending.test_preconfirmed import BLOCK, Hinted, hinted, syncs
from tests.chains.real_blocks.node import reserves_after, reserves_before

RATIO = WhaleTerms().impact_ratio
S = 10**9


def event(log: dict[str, Any], *, stream: str = "one", level: Level = Level.SEEN) -> HookEvent:
    """An event of a node as a webhook hands it over."""
    read = parse_log(log)
    return HookEvent(
        stream=stream,
        chain="ethereum",
        level=level,
        block_number=read.block_number,
        block_hash=read.block_hash,
        tx_hash=read.tx_hash,
        log_index=read.index,
        address=read.address,
        topics=read.topics,
        data=read.data,
        received_at_ns=1,
    )


class Told:
    """Who takes what follows of webhooks."""

    def __init__(self, one: Hinted) -> None:
        self.swaps: list[SwapTold] = []
        self.looks = 0
        self.pending = one.pending
        self.made_way: list[tuple[str, int]] = []
        one.pending.on_swap_told = self.swaps.append
        one.pending._on_told = self.make_way
        one.pending.look_now = self.look

    def look(self) -> None:
        self.looks += 1

    def make_way(self, tx: str) -> None:
        """Note what background work makes way for, and how many swaps the engine knows by then."""
        self.made_way.append((tx, len(self.swaps)))

    def take(self, *events: HookEvent) -> HooksTaken:
        return self.pending.take_hooked(events, ())

    def line(self, stream: str = "one") -> HookLine:
        return next(one for one in self.pending.hooked.lines(1) if one.stream == stream)


async def test_a_large_swap_of_the_next_block_is_told_once_and_moves_no_pool() -> None:
    async with hinted() as one:
        told = Told(one)
        events = [event(log) for log in syncs(one.node)]
        words = len(one.followed.words)

        first = told.take(*events)
        again = told.take(*events)
        other = told.take(*[event(log, stream="two") for log in syncs(one.node)])

        assert first.swaps > first.triggers == len(told.swaps) > 3
        # Of each large swap background work makes way before the engine is told of it.
        assert told.made_way == [(swap.tx, at) for at, swap in enumerate(told.swaps)]
        assert (again.swaps, other.swaps) == (0, 0)
        assert one.held() == reserves_before(BLOCK.acts)
        assert len(one.followed.words) == words

        await one.go_on()

        assert one.held() == reserves_after(BLOCK)
        assert not await one.followed.differing()
        for stream in ("one", "two"):
            line = told.line(stream)
            assert line.right == line.ahead == line.told == len(events)
            assert (line.wrong, line.missing) == (0, 0)
        assert told.take(*events).swaps == 0


async def test_the_impact_is_that_of_the_swap_in_its_block_in_whatever_order_events_come() -> None:
    found = []
    for is_backwards in (False, True):
        async with hinted() as one:
            told = Told(one)
            events = [event(log) for log in syncs(one.node)]
            for part in reversed(events) if is_backwards else [*events]:
                told.take(part)
            found.append({(swap.tx, swap.address): swap.impact_bps for swap in told.swaps})
            if not is_backwards:
                before = reserves_before(BLOCK.acts)
                once = [
                    at for at in before if sum(log["address"] == at for log in syncs(one.node)) == 1
                ]
                after = reserves_after(BLOCK)
                for swap in told.swaps:
                    if swap.address in once:
                        was, now = Fraction(*before[swap.address]), Fraction(*after[swap.address])
                        changes = [now / was - 1, was / now - 1]
                        assert swap.impact_bps in [int(abs(one) * 10_000) for one in changes]
                        assert swap.impact_bps >= int(RATIO * 10_000)
                assert any(swap.address in once for swap in told.swaps)
                first = {
                    log["address"]: log["transactionHash"] for log in reversed(syncs(one.node))
                }
    # what comes last is stepped in its place: a pool's first swap is from where the pool stands
    firsts = [{key: of[key] for key in of if first[key[1]] == key[0]} for of in found]
    assert firsts[0] == firsts[1]
    assert len(firsts[0]) > 3


async def test_each_swap_is_told_once_in_whatever_order_events_come() -> None:
    found = []
    for is_backwards in (False, True):
        async with hinted() as one:
            told = Told(one)
            events = [event(log) for log in syncs(one.node)]
            order = reversed(events) if is_backwards else iter(events)
            found.append(sum(told.take(part).swaps for part in order))
    assert found[0] == found[1] > 30


async def test_one_of_a_block_further_on_has_nodes_asked_and_waits_for_its_turn() -> None:
    async with hinted() as one:
        told = Told(one)
        log = syncs(one.node)[0]
        assert told.take(event(dict(log) | {"blockNumber": hex(BLOCK.number + 2)})).swaps == 0
        assert told.looks == 1
        told.looks, one.pending._asked_latest_s = 0, -1.0
        large = _large(one, told)
        further = dict(large) | {
            "blockNumber": hex(BLOCK.number + 1),
            "blockHash": "0x" + "cd" * 32,
            "data": _moved(large["data"]),
        }
        assert told.take(event(further)).swaps == 0
        assert told.looks == 1

        await one.go_on()
        one.pending.after_block()

        assert [swap.block for swap in told.swaps[-1:]] == [BLOCK.number + 1]


async def test_one_of_another_block_at_a_height_that_is_here_has_nodes_asked_and_nothing_else() -> (
    None
):
    async with hinted() as one:
        told = Told(one)
        await one.go_on()
        other = dict(syncs(one.node)[0]) | {"blockHash": "0x" + "cd" * 32}
        assert told.take(event(other)).swaps == 0
        assert told.looks == 1
        assert one.held() == reserves_after(BLOCK)
        undone = event(syncs(one.node)[1], level=Level.REMOVED)
        assert told.take(undone) == HooksTaken()


async def test_a_stream_that_is_wrong_too_often_is_doubted_and_nothing_follows_of_it() -> None:
    async with hinted() as one:
        told = Told(one)
        logs = syncs(one.node)
        lies = [
            event(dict(log) | {"transactionHash": "0x" + f"{at:064x}"})
            for at, log in enumerate(logs[: 60 // WRONG_COSTS])
        ]
        told.take(*lies)
        await one.go_on()

        line = told.line()
        assert (line.wrong, line.is_doubted) == (len(lies), True)
        assert one.held() == reserves_after(BLOCK)
        count = len(told.swaps)
        further = dict(logs[0]) | {
            "blockNumber": hex(BLOCK.number + 1),
            "data": _moved(logs[0]["data"]),
        }
        assert told.take(event(further)).swaps == 0
        assert len(told.swaps) == count
        assert told.take(event(further, stream="two")).triggers == 1


async def test_events_of_pools_that_are_not_followed_are_not_judged() -> None:
    async with hinted() as one:
        told = Told(one)
        told.take(event(dict(syncs(one.node)[0]) | {"address": "0x" + "ee" * 20}))
        assert (told.line().unjudged, told.line().told) == (1, 0)


def _moved(data: str) -> str:
    """Return reserves a swap further on: half of one for twice the other."""
    reserves = [int(data[2 + 64 * at : 66 + 64 * at], 16) for at in range(2)]
    return f"0x{2 * reserves[0]:064x}{reserves[1] // 2 + 1:064x}"


def _large(one: Hinted, told: Told) -> dict[str, Any]:
    """Return an event of the next block that is a large swap by itself."""
    for log in syncs(one.node):
        if told.take(event(log)).triggers:
            told.swaps.clear()
            return log
    raise AssertionError("none is large")


def log_at(block: int, index: int = 0, *, data: bytes = b"d", kind: str = "a") -> Log:
    return Log(
        address="0x" + "ab" * 20,
        topics=(b"t" * 32,),
        data=data,
        block_number=block,
        block_hash=f"{kind}{block}",
        tx_hash=f"tx {kind}{block}",
        index=index,
    )


def ref(block: int, kind: str = "a") -> BlockRef:
    return BlockRef(number=block, hash=f"{kind}{block}", parent_hash="", made_at_s=block)


def pool_of(log: Log) -> str:
    """A contract is a pool; one that holds many names which in its events."""
    return f"{log.address} {log.topics[1]!r}" if len(log.topics) > 1 else log.address


def covering(block: int = 1) -> HookStream:
    """A stream that tells of a contract since a block."""
    stream = HookStream("one", pool_of)
    stream.tell(log_at(block), block * S, tip_number=block - 1, is_here=False)
    stream.block(ref(block), [log_at(block)], block * S)
    return stream


def blocks(stream: HookStream, numbers: Sequence[int], *, at_s: int = 0) -> None:
    for number in numbers:
        stream.block(ref(number), [log_at(number)], (number + at_s) * S)


def test_what_a_stream_leaves_out_is_missing_after_its_time_and_late_if_it_comes_then() -> None:
    stream = covering()
    blocks(stream, [2])
    stream.block(ref(3), [], LATE_NS)
    assert stream.line(0).missing == 0
    stream.block(ref(4), [], LATE_NS + 3 * S)
    assert stream.line(0).missing == 1
    stream.tell(log_at(2), LATE_NS + 4 * S, tip_number=4, is_here=True)
    line = stream.line(0)
    assert (line.missing, line.late, line.wrong) == (1, 1, 0)


def test_what_came_in_time_is_right_before_its_block_or_after() -> None:
    stream = covering()
    blocks(stream, [2])
    stream.tell(log_at(2), 3 * S, tip_number=2, is_here=True)
    stream.block(ref(3), [], 2 * LATE_NS)
    line = stream.line(0)
    assert (line.right, line.ahead, line.missing) == (2, 1, 0)
    assert line.lag_ms["p99"] == 1_000


def test_an_event_that_its_block_has_otherwise_or_not_at_all_is_wrong() -> None:
    stream = covering()
    stream.tell(log_at(2, data=b"x"), 0, tip_number=1, is_here=False)
    stream.tell(log_at(2, 1), 0, tip_number=1, is_here=False)
    blocks(stream, [2])
    assert stream.line(0).wrong == 2
    stream.tell(log_at(2, 7), 0, tip_number=2, is_here=True)
    assert stream.line(0).wrong == 3


def test_nothing_is_expected_of_a_block_that_was_undone() -> None:
    stream = covering()
    stream.block(ref(2, "b"), [log_at(2, kind="b")], 2 * S)
    stream.block(ref(2), [log_at(2)], 2 * S)
    stream.tell(log_at(2), 2 * S, tip_number=2, is_here=True)
    stream.block(ref(3), [], 9 * LATE_NS)
    line = stream.line(0)
    assert (line.missing, line.wrong, line.right) == (0, 0, 2)


def test_a_contract_that_the_stream_never_told_of_is_not_expected_of_it() -> None:
    stream = covering()
    other = replace_address(log_at(2))
    stream.block(ref(2), [other], 2 * S)
    stream.block(ref(3), [], 9 * LATE_NS)
    assert stream.line(0).missing == 0


def test_one_of_a_pool_that_is_followed_only_since_is_not_wrong_beside_others_of_its_contract() -> (
    None
):
    stream = HookStream("one", pool_of)

    def of(pool: bytes, block: int, place: int) -> Log:
        return replace_address(log_at(block, place), topics=(b"t" * 32, pool * 32))

    stream.tell(of(b"1", 1, 0), S, tip_number=0, is_here=False)
    stream.block(ref(1), [of(b"1", 1, 0)], S)
    stream.block(ref(2), [of(b"1", 2, 0)], 2 * S)  # the other pool is not followed yet
    stream.tell(of(b"1", 2, 0), 3 * S, tip_number=2, is_here=True)
    stream.tell(of(b"2", 2, 1), 3 * S, tip_number=2, is_here=True)
    line = stream.line(0)
    assert (line.right, line.wrong, line.unjudged) == (2, 0, 1)

    stream.block(ref(3), [of(b"2", 3, 0)], 4 * S)
    stream.block(ref(4), [], 9 * LATE_NS)
    assert stream.line(0).missing == 1


def replace_address(log: Log, topics: tuple[bytes, ...] = ()) -> Log:
    return Log(
        address="0x" + "cd" * 20,
        topics=topics or log.topics,
        data=log.data,
        block_number=log.block_number,
        block_hash=log.block_hash,
        tx_hash=log.tx_hash,
        index=log.index,
    )


def test_blocks_that_a_stream_leaves_out_by_its_own_count_are_counted_until_they_come() -> None:
    stream = HookStream("one", pool_of)
    for first, last in ((5, 7), (8, 8), (12, 14), (20, 20)):
        stream.span(first, last)
    assert (stream.line(0).gaps, stream.line(0).gap_blocks) == (2, 8)
    stream.span(16, 17)
    assert (stream.line(0).gaps, stream.line(0).gap_blocks) == (3, 6)
    stream.span(9, 11)
    stream.span(1, 30)
    assert (stream.line(0).gaps, stream.line(0).gap_blocks) == (0, 0)


def test_a_stream_that_was_wrong_is_believed_again_once_it_was_right_for_long() -> None:
    stream = covering()
    for at in range(6):
        stream.tell(log_at(2, at + 1), 0, tip_number=1, is_here=False)
    blocks(stream, [2])
    assert stream.is_doubted
    stream.tell(log_at(2), 0, tip_number=2, is_here=True)
    for number in range(3, 60):
        stream.tell(log_at(number), 0, tip_number=number - 1, is_here=False)
        blocks(stream, [number])
    assert not stream.is_doubted


def test_a_stream_that_makes_blocks_up_beside_all_that_is_right_is_doubted_soon() -> None:
    stream = covering()
    doubted = []
    for number in range(2, 80):
        for at in range(20):
            told = log_at(number, at)
            stream.tell(told, number * S, tip_number=number - 1, is_here=False)
        stream.tell(log_at(number, kind="x"), number * S, tip_number=number - 1, is_here=False)
        stream.block(ref(number), [log_at(number, at) for at in range(20)], number * S)
        doubted.append(stream.is_doubted)
    assert doubted.index(True) < 10
    assert all(doubted[10:])
    assert stream.line(0).wrong == 0


def test_a_branch_that_lost_leaves_a_stream_believed() -> None:
    stream = covering()
    for number in range(2, 80):
        kinds = "ab" if number % 20 == 0 else "a"
        for kind in kinds:
            for at in range(20):
                log = log_at(number, at, kind=kind)
                stream.tell(log, number * S, tip_number=number - 1, is_here=False)
        stream.block(ref(number), [log_at(number, at) for at in range(20)], number * S)
        assert not stream.is_doubted


def test_blocks_that_no_node_showed_cost_a_stream_nothing() -> None:
    stream = covering()
    for number in range(2, 40):
        stream.tell(log_at(number), number * S, tip_number=number - 1, is_here=False)
    for number in range(40, 60):
        stream.tell(log_at(number), number * S, tip_number=number - 1, is_here=False)
        blocks(stream, [number])
    assert not stream.is_doubted

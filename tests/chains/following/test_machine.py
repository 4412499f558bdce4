"""One at a time: what the machine makes of each thing that nodes say."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.chains.following.asks import (
    Ask,
    AskHeader,
    AskLatest,
    AskLogs,
    AskRead,
    AskSpan,
    AskTerms,
)
from engine.chains.following.counts import Count
from engine.chains.following.held import snapshot_of
from engine.chains.following.machine import GAP_MAX, TRIES_MAX, Following, Rhythm
from engine.chains.ports import BlockRef, PoolNow, ReadAgain, Unreadable
from engine.pools.blocks import Block, ChainWord, PoolLost, PoolMoved
from tests.chains.following.made_up import (
    CHAIN,
    FAMILY,
    MOVED,
    TOUCHED,
    MadeBlock,
    MadeUpChain,
    address_of,
)

ONE = address_of(1)
UNDO = 4


class Line:
    """A machine and an honest node that answers at once, unless an answer is kept back."""

    def __init__(
        self, *, pools: int = 1, polled_blocks: int = 10**6, checked_blocks: int = 10**6
    ) -> None:
        self.chain = MadeUpChain(5, pools=max(pools, 2))
        self.machine = Following(
            CHAIN,
            Rhythm(undo_blocks=UNDO, polled_blocks=polled_blocks, checked_blocks=checked_blocks),
        )
        self.has_rates = False
        self.kept: list[Ask] = []
        self.words: list[ChainWord] = []
        self.asked: list[Ask] = []
        states = self.chain.head.states
        self.machine.follow([(states[address_of(n)].pool, FAMILY) for n in range(1, pools + 1)])
        self.hear(self.chain.head)

    def mine(self, *data: str | bytes, on: MadeBlock | None = None) -> MadeBlock:
        """Make a block with these events of pool 1: reserves of token 0, or what is no event."""
        parent = on or self.chain.head
        return self.chain.mine_with(parent, [_event(one) for one in data])

    def hear(self, block: MadeBlock, *, keeps: type[Ask] | None = None) -> list[ChainWord]:
        self.machine.head(block.header)
        return self.talk(keeps)

    def talk(self, keeps: type[Ask] | None = None) -> list[ChainWord]:
        said: list[ChainWord] = []
        while True:
            asks, words = self.machine.take()
            said += words
            self.asked += asks
            for ask in asks:
                if keeps is not None and isinstance(ask, keeps):
                    self.kept.append(ask)
                else:
                    self.answer(ask)
            if not asks:
                self.words += said
                return said

    def answer(self, ask: Ask) -> None:
        machine, blocks = self.machine, self.chain.blocks
        if isinstance(ask, AskLatest):
            machine.latest(self.chain.head.header)
        elif isinstance(ask, AskHeader):
            machine.headers(ask, [blocks[ask.hash].header] if ask.hash in blocks else [])
        elif isinstance(ask, AskSpan):
            line = self.chain.line(self.chain.head)
            machine.headers(ask, [line[n].header for n in range(ask.first, ask.last + 1)])
        elif isinstance(ask, AskLogs):
            machine.logs(ask, blocks[ask.of.ref.hash].logs, machine.topics)
        elif isinstance(ask, AskTerms):
            states = blocks[ask.at.hash].states
            again = ReadAgain(why="its rates may have changed")
            machine.terms(ask, [again if self.has_rates else states[a].pool for a in ask.addresses])
        else:
            states = blocks[ask.at.hash].states
            machine.read(
                ask, [PoolNow(pool=states[a].pool, row=states[a].now) for a in ask.addresses]
            )

    def answer_kept(self) -> list[ChainWord]:
        kept, self.kept = self.kept, []
        for ask in kept:
            self.answer(ask)
        return self.talk()

    @property
    def count(self) -> dict[Count, int]:
        return self.machine.counts

    @property
    def is_right(self) -> bool:
        """Whether pool 1 is live, and as the chain has it."""
        held = self.machine.pools.of[ONE].held
        tip = self.machine.branch.tip
        assert tip is not None
        if held is None:
            return False
        assert snapshot_of(held, 0).row == self.chain.blocks[tip.ref.hash].states[ONE].now
        return True


def _event(data: str | bytes) -> tuple[str, bytes, bytes]:
    if isinstance(data, str):
        text = f'{{"move":"pair","reserve0_raw":{data},"reserve1_raw":{10**12}}}'
        return ONE, MOVED, text.encode()
    return ONE, TOUCHED if data == b"touched" else MOVED, data


def blocks_of(words: list[ChainWord]) -> list[Block]:
    return [word.block for word in words if word.block is not None]


def numbers_of(words: list[ChainWord]) -> list[tuple[int, int]]:
    return [(block.number, block.undone) for block in blocks_of(words)]


def test_the_first_head_is_asked_for_and_pools_are_read_as_of_it() -> None:
    line = Line()

    assert line.asked[0] == AskLatest()
    assert numbers_of(line.words) == [(100, 0)]
    assert [word.pools[0].block for word in line.words if word.pools] == [100]
    assert line.is_right


def test_a_block_is_told_with_its_moves_in_their_order() -> None:
    line = Line()

    (word,) = line.hear(line.mine(str(2 * 10**21), str(3 * 10**21)))

    assert word.block is not None
    assert [type(change) for change in word.block.changes] == [PoolMoved, PoolMoved]
    assert line.is_right


def test_missing_blocks_are_fetched_by_one_question() -> None:
    line = Line()
    for number in range(1, 6):
        line.mine(str(number * 10**21))

    said = line.hear(line.chain.head)

    assert numbers_of(said) == [(number, 0) for number in range(101, 106)]
    assert [ask for ask in line.asked if isinstance(ask, AskSpan | AskHeader)] == [
        AskSpan(101, 104)
    ]
    assert line.count[Count.GAPS] == 1
    assert line.is_right


def test_a_head_that_comes_twice_or_late_changes_nothing() -> None:
    line = Line()
    first = line.mine(str(10**21))
    line.hear(first)
    line.hear(line.mine())

    assert not line.hear(first)
    assert not line.hear(line.chain.head)
    assert line.count[Count.DUPLICATES] == 2


def test_a_sibling_that_comes_late_undoes_nothing() -> None:
    line = Line()
    late = line.mine(str(7 * 10**21))
    line.hear(line.mine(on=line.chain.blocks[late.ref.parent_hash]))

    assert not line.hear(late)
    assert line.count[Count.LATE_HEADS] == 1
    assert line.asked[-1] == AskLatest()


def test_a_sibling_that_the_node_ends_with_takes_the_place() -> None:
    line = Line()
    line.hear(line.mine(str(5 * 10**21)))

    said = line.hear(line.mine(str(7 * 10**21), on=line.chain.back(1)))

    assert numbers_of(said) == [(101, 1)]
    assert line.is_right


def test_a_shorter_branch_is_followed_when_the_node_ends_with_it() -> None:
    line = Line()
    for _ in range(3):
        line.hear(line.mine(str(5 * 10**21)))

    said = line.hear(line.mine(on=line.chain.back(3)))

    assert numbers_of(said) == [(101, 3)]
    assert line.is_right


def test_a_reorganisation_as_deep_as_can_be_undone_loses_no_pool() -> None:
    line = Line()
    for number in range(UNDO):
        line.hear(line.mine(str((5 + number) * 10**21)))

    on = line.chain.back(UNDO)
    for _ in range(UNDO + 1):
        on = line.mine(str(9 * 10**21), on=on)
    said = line.hear(on)

    assert numbers_of(said)[0] == (101, UNDO)
    assert not any(word.pools for word in said)
    assert line.machine.deepest == UNDO
    assert line.is_right


def test_a_deeper_one_has_all_pools_read_anew() -> None:
    line = Line()
    for _ in range(2 * UNDO):
        line.hear(line.mine(str(5 * 10**21)))

    on = line.chain.back(UNDO + 1)
    for _ in range(UNDO + 2):
        on = line.mine(str(9 * 10**21), on=on)
    said = line.hear(on)

    assert numbers_of(said) == [(on.ref.number, UNDO + 1)]
    assert [word.pools[0].block for word in said if word.pools] == [on.ref.number]
    assert line.count[Count.TOO_DEEP] == 1
    assert line.is_right


def test_a_head_out_of_nowhere_loses_nothing_unless_the_node_ends_with_it() -> None:
    line = Line()
    line.hear(line.mine())
    far = 10**9
    lie = BlockRef(number=far, hash=f"0x{1:064x}", parent_hash=f"0x{2:064x}", made_at_s=far)

    line.machine.head(replace(line.chain.head.header, ref=lie))
    said = line.talk()

    assert not said
    assert not line.machine.is_behind
    assert line.is_right
    line.hear(line.mine(str(10**21)))
    assert line.is_right


def test_a_chain_that_is_far_ahead_is_begun_anew() -> None:
    line = Line()
    for _ in range(GAP_MAX + 2):
        line.mine()

    said = line.hear(line.chain.head)

    assert numbers_of(said) == [(line.chain.head.ref.number, 0)]
    assert line.count[Count.TOO_FAR] == 1
    assert line.is_right


def test_blocks_whose_numbers_or_times_do_not_rise_are_a_lie() -> None:
    for change in ({"number": 103}, {"made_at_s": 1}):
        line = Line()
        honest = line.mine()
        ref = replace(honest.ref, hash=f"0x{1:064x}", **change)
        line.machine.head(replace(honest.header, ref=ref))

        assert [block.hash for block in blocks_of(line.talk())] == [honest.ref.hash]
        assert line.count[Count.LIES] == 1


@pytest.mark.parametrize(
    "change", [{"parent_hash": f"0x{9:064x}"}, {"number": 107}, {"made_at_s": 1}]
)
def test_a_head_that_tells_of_a_true_block_what_it_is_not_is_asked_for_again(
    change: dict[str, Any],
) -> None:
    line = Line()
    for _ in range(3):
        line.hear(line.mine())
    honest = line.mine(str(5 * 10**21))
    line.machine.head(replace(honest.header, ref=replace(honest.ref, **change)))

    said = line.talk()

    assert [block.hash for block in blocks_of(said)] == [honest.ref.hash]
    assert line.count[Count.LIES] == 1
    assert line.is_right
    line.hear(line.mine(str(6 * 10**21)))
    assert line.is_right


def test_a_block_that_is_not_as_its_head_said_is_taken_as_it_is() -> None:
    line = Line()
    honest = line.mine(str(5 * 10**21))
    late = replace(honest.ref, made_at_s=honest.ref.made_at_s + 86_400)
    line.machine.head(replace(honest.header, ref=late))
    asks, _ = line.machine.take()
    (asked,) = (ask for ask in asks if isinstance(ask, AskLogs))

    line.machine.corrected(asked, honest.header)
    said = line.talk()

    assert [block.made_at_ns for block in blocks_of(said)] == [honest.ref.made_at_s * 10**9]
    assert line.count[Count.LIES] == 1
    line.hear(line.mine(str(6 * 10**21)))
    assert line.is_right


def test_what_happens_while_a_pool_is_read_is_neither_lost_nor_taken_twice() -> None:
    line = Line(pools=0)
    line.hear(line.mine(str(5 * 10**21)))
    line.machine.follow([(line.chain.head.states[ONE].pool, FAMILY)])
    line.talk(keeps=AskRead)
    line.hear(line.mine(str(6 * 10**21)), keeps=AskRead)
    line.hear(line.mine(str(7 * 10**21)), keeps=AskRead)

    (word,) = line.answer_kept()

    assert [one.block for one in word.pools] == [103]
    assert line.is_right


def test_states_that_are_known_otherwise_are_joined_as_reads_are_and_the_others_are_read() -> None:
    line = Line(pools=0)
    line.hear(line.mine(str(5 * 10**21)))
    states = line.chain.head.states
    pools = [(states[address_of(n)].pool, FAMILY) for n in (1, 2)]
    ask = line.machine.begin_restore(pools)
    assert ask is not None
    assert not line.hear(line.mine(str(6 * 10**21)))[0].pools

    line.machine.restored(ask, {ONE: PoolNow(pool=states[ONE].pool, row=states[ONE].now)})

    said = line.talk()
    assert [one.pool.address for word in said for one in word.pools] == [ONE, address_of(2)]
    assert line.is_right


def test_a_read_of_a_block_that_is_undone_is_nothing() -> None:
    line = Line(pools=0)
    line.hear(line.mine(str(5 * 10**21)))
    line.machine.follow([(line.chain.head.states[ONE].pool, FAMILY)])
    line.talk(keeps=AskRead)
    line.hear(line.mine(str(9 * 10**21), on=line.chain.back(1)), keeps=AskRead)

    said = line.answer_kept()

    assert line.count[Count.VOID_READS] == 1
    assert [one.block for word in said for one in word.pools] == [101]
    assert line.is_right


def test_events_of_undone_blocks_are_not_taken_onto_a_read() -> None:
    line = Line(pools=0)
    line.hear(line.mine(str(5 * 10**21)))
    line.machine.follow([(line.chain.head.states[ONE].pool, FAMILY)])
    line.talk(keeps=AskRead)
    line.hear(line.mine(str(6 * 10**21)), keeps=AskRead)
    line.hear(line.mine(on=line.chain.back(1)), keeps=AskRead)

    line.answer_kept()

    assert line.is_right


def test_an_event_that_does_not_tell_all_has_the_pool_stale_in_its_block_and_read_after_it() -> (
    None
):
    for event in (b"touched", b"\xff"):
        line = Line()

        block, read = line.hear(line.mine(str(4 * 10**21), event))

        assert block.block is not None
        assert [type(change) for change in block.block.changes] == [PoolMoved, PoolLost]
        assert [one.block for one in read.pools] == [101]
        assert line.is_right


def test_a_read_that_is_slow_holds_up_no_block() -> None:
    line = Line()
    line.hear(line.mine(b"touched"), keeps=AskRead)

    assert numbers_of(line.hear(line.mine(), keeps=AskRead)) == [(102, 0)]
    assert not line.is_right
    assert line.machine.pools.of[ONE].why == "touched"


def test_a_pool_that_cannot_be_read_is_tried_after_more_and_more_blocks() -> None:
    line = Line(pools=0)
    line.machine.follow([(line.chain.head.states[ONE].pool, FAMILY)])
    reads = []
    for _ in range(40):
        line.talk(keeps=AskRead)
        for ask in line.kept:
            assert isinstance(ask, AskRead)
            reads.append(ask.at.number)
            line.machine.read(ask, [Unreadable(why="it reverts")])
        line.kept.clear()
        line.hear(line.mine(), keeps=AskRead)

    assert reads == [100, 101, 103, 107, 115, 131]
    assert line.machine.pools.of[ONE].why == "it reverts"


def test_a_read_without_an_answer_is_asked_again_before_the_next_block() -> None:
    line = Line(pools=0)
    line.machine.follow([(line.chain.head.states[ONE].pool, FAMILY)])
    for _ in range(5):
        line.talk(keeps=AskRead)
        (ask,) = line.kept
        line.kept.clear()
        line.machine.failed(ask, "away")
        assert line.machine.take() == ([], [])
        line.machine.advance()

    line.talk()
    assert line.is_right


def test_a_pool_that_is_not_as_its_events_say_is_out_at_once_and_read_again() -> None:
    line = Line(checked_blocks=3)
    for _ in range(2):
        line.hear(line.mine())
    block = line.mine(str(5 * 10**21))
    line.machine.head(block.header)
    asks, _ = line.machine.take()
    for ask in asks:
        assert isinstance(ask, AskLogs)
        line.machine.logs(ask, (), line.machine.topics)  # a lie

    said = line.talk()

    assert [word.removed for word in said if word.removed] == [(ONE,)]
    assert line.count[Count.DIVERGED] == 1
    assert not line.is_right
    (_, again) = line.hear(line.mine())
    assert [one.pool.address for one in again.pools] == [ONE]
    assert line.is_right


@pytest.mark.parametrize("by", ["polled_blocks", "checked_blocks"])
def test_a_fee_that_no_event_told_is_found_and_told(by: str) -> None:
    line = Line(**{by: 3})
    line.chain.set_fee(ONE, 17)
    for _ in range(2):
        line.hear(line.mine())

    said = line.hear(line.mine())

    assert [one.pool for word in said for one in word.pools] == [line.chain.head.states[ONE].pool]
    assert line.count[Count.TERMS_CHANGED] == 1
    assert not line.count[Count.DIVERGED]


def test_a_pool_that_may_move_without_an_event_is_read_again_and_stays_live() -> None:
    line = Line(polled_blocks=2)
    line.has_rates = True
    line.hear(line.mine())
    line.chain.move_untold(ONE)

    line.hear(line.mine())
    said = line.talk()

    assert not [word.removed for word in line.words if word.removed], said
    assert line.count[Count.UNTOLD] == 1
    assert not line.count[Count.DIVERGED]
    assert line.is_right


def test_a_block_that_nobody_can_give_is_given_up() -> None:
    line = Line()
    line.machine.head(line.mine().header)
    for _ in range(TRIES_MAX):
        line.machine.advance()
        asks, _ = line.machine.take()
        for ask in asks:
            line.machine.failed(ask, "away")

    assert line.count[Count.GIVEN_UP] == 1
    assert not line.machine.is_behind
    assert numbers_of(line.talk()) == [(101, 0)]


def test_each_thing_is_asked_once_at_a_time() -> None:
    line = Line()
    block = line.mine()
    line.hear(block, keeps=AskLogs)
    for _ in range(3):
        line.machine.advance()
        line.machine.head(block.header)
        line.machine.advance()

    assert line.machine.take() == ([], [])


def test_events_that_were_asked_for_before_a_new_kind_of_pool_came_are_asked_for_again() -> None:
    line = Line(pools=0)
    block = line.mine(str(5 * 10**21))
    line.hear(block, keeps=AskLogs)
    (ask,) = line.kept
    assert isinstance(ask, AskLogs)
    asked_by = line.machine.topics
    line.machine.follow([(block.states[ONE].pool, FAMILY)])
    line.machine.logs(ask, (), asked_by)

    asks, words = line.machine.take()

    assert asks == [ask]
    assert not blocks_of(list(words))


def test_a_forgotten_pool_is_told_and_no_read_of_it_is_taken() -> None:
    line = Line()
    line.hear(line.mine(b"touched"), keeps=AskRead)

    line.machine.forget(ONE)

    (word,) = line.talk()
    assert word.removed == (ONE,)
    assert not line.answer_kept()
    assert line.count[Count.VOID_READS] == 1


def test_nothing_that_is_kept_grows_with_time() -> None:
    line = Line()
    for number in range(1_500):
        on = line.chain.back(number % 3)
        line.hear(line.mine(str(5 * 10**21), on=on))
        lie = replace(on.header, ref=replace(on.ref, hash=f"0x{number:064x}"))
        line.machine.head(lie)
        line.talk()

    machine = line.machine
    assert len(machine._headers) <= 1_024
    assert len(machine._logs) + len(machine._asked) + len(machine._tries) < 20

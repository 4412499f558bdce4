"""The newest blocks of a chain: which one is known, and which may come again."""

from weakref import finalize

from engine.market.chain_blocks import ChainBlocks, Standing


def test_a_block_is_known_for_as_long_as_it_can_be_undone_and_no_longer() -> None:
    blocks: ChainBlocks[None] = ChainBlocks(2)
    for number in range(6):
        blocks.add(number, f"{number}", {})

    standings = [blocks.standing_of(9, f"{number}", "5", undone=0) for number in range(6)]

    assert standings == [Standing.NEXT] * 3 + [Standing.KNOWN] * 3


def test_a_block_that_was_undone_may_come_again() -> None:
    blocks: ChainBlocks[None] = ChainBlocks(4)
    for name in ("1", "2", "3"):
        blocks.add(int(name), name, {})

    assert len([*blocks.undo(2)]) == 2

    assert blocks.standing_of(2, "2", "1", undone=0) is Standing.NEXT
    blocks.add(2, "2", {})
    assert blocks.standing_of(2, "2", "1", undone=0) is Standing.KNOWN
    blocks.clear()
    assert blocks.standing_of(2, "2", "1", undone=0) is Standing.FIRST
    blocks.add(1, "1", {})
    assert blocks.standing_of(2, "2", "1", undone=0) is Standing.NEXT


def test_what_cannot_be_undone_any_more_is_freed_when_it_is_let_go() -> None:
    blocks: ChainBlocks[set[int]] = ChainBlocks(1)
    freed: list[int] = []
    for number in range(3):
        undo = {number: {number}}
        finalize(undo[number], freed.append, number)
        blocks.add(number, f"{number}", undo)
        del undo
    assert freed == []

    blocks.let_go()

    assert freed == [0]

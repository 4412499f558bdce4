"""What a stream leaves out is found and counted, and pools are as their node has them all the same.

Nor is a block lost that a node did not tell: a webhook that tells of it has the node asked.
"""

from engine.chains.following.asks import AskLogs
from engine.chains.pending.hook_stream import LATE_NS
from engine.chains.ports import BlockRef
from tests.chains.pending.test_hooked import Told, event
from tests.chains.pending.test_preconfirmed import BLOCK, Hinted, Json, hinted, syncs
from tests.chains.real_blocks.node import reserves_after, reserves_before

AFTER = BlockRef(number=BLOCK.number + 1, hash="0x" + "ef" * 32, parent_hash="", made_at_s=1)


def covering(one: Hinted, told: Told) -> list[Json]:
    """Have a stream tell of each pair in the block that is here; return what the next one holds."""
    here = one.node.before
    logs = syncs(one.node)
    for log in logs:
        earlier = dict(log) | {"blockNumber": here["number"], "blockHash": here["hash"]}
        told.take(event(earlier))
    return logs


async def test_a_block_that_a_stream_leaves_out_is_missing_and_pools_are_as_the_node_has_them() -> (
    None
):
    async with hinted() as one:
        told = Told(one)
        logs = covering(one, told)
        one.pending.hooked.spans([("one", BLOCK.number - 1, BLOCK.number - 1)])

        await one.go_on()  # its events come from the node alone: the stream says nothing
        one.pending.hooked.spans([("one", BLOCK.number + 1, BLOCK.number + 1)])
        one.pending.hooked.block(AFTER, [], 2 * LATE_NS)

        line = told.line()
        assert (line.gaps, line.gap_blocks) == (1, 1)
        assert (line.missing, line.late, line.wrong) == (len(logs), 0, 0)
        assert one.held() == reserves_after(BLOCK) != reserves_before(BLOCK.acts)
        assert not await one.followed.differing()

        told.take(*[event(log) for log in logs])  # sent again, hours later
        one.pending.hooked.spans([("one", BLOCK.number, BLOCK.number)])

        line = told.line()
        assert (line.missing, line.late, line.gaps) == (len(logs), len(logs), 0)
        assert one.held() == reserves_after(BLOCK)


async def test_one_event_that_is_left_out_of_a_block_is_missing_alone() -> None:
    async with hinted() as one:
        told = Told(one)
        logs = covering(one, told)
        told.take(*[event(log) for log in logs[1:]])

        await one.go_on()
        one.pending.hooked.block(AFTER, [], 2 * LATE_NS)

        line = told.line()
        assert (line.missing, line.right, line.wrong) == (1, len(logs) - 1, 0)
        assert not await one.followed.differing()


async def test_a_block_that_no_node_told_is_asked_for_at_a_webhooks_word() -> None:
    async with hinted() as one:
        told = Told(one)
        follower = one.followed.follower
        follower._quiet_s = 3_600.0  # by itself it asks for nothing
        one.pending.look_now = follower.look_now
        asked: list[str] = []
        answer = follower._answer

        async def noting(ask: object) -> None:
            if isinstance(ask, AskLogs):
                asked.append(ask.of.ref.hash)
            await answer(ask)  # type: ignore[arg-type]

        follower._answer = noting  # type: ignore[method-assign]
        one.served[0].blocks.append(one.node.after)

        further = dict(syncs(one.node)[0]) | {
            "blockNumber": hex(BLOCK.number + 1),
            "blockHash": AFTER.hash,
        }
        told.take(event(further))
        await one.followed.until_at(one.node.after["hash"])

        assert asked == [one.node.after["hash"]]
        assert one.held() == reserves_after(BLOCK)
        assert not await one.followed.differing()

"""Contracts that no package has compiled: what a node said of them, step by step."""

import pytest

from engine.chains.families.family_list import FAMILY_OF
from engine.chains.ports import PoolNow, ReadAgain
from engine.detect.sizing.exact import leg_of
from engine.domain.errors import BadValueError
from tests.chains.families.following import Followed
from tests.chains.families.recorded import Replayed, load


@pytest.mark.parametrize(
    ("name", "quotes", "fees"),
    [("aerodrome_v2", 200, 10), ("slipstream", 200, 10), ("camelot_v2", 200, 8)],
)
async def test_a_recorded_run_leads_to_what_was_read_and_quoted(
    name: str, quotes: int, fees: int
) -> None:
    run = load(name)
    family = FAMILY_OF[run.pools[0].protocol](frozenset())
    followed: dict[str, Followed] = {}
    equal = changed = 0
    for step in run.steps:
        reader = Replayed(step)
        read = [
            one for one in await family.read(run.pools, reader, step.at) if isinstance(one, PoolNow)
        ]
        assert len(read) == len(run.pools)
        if not followed:
            followed = {now.pool.address: Followed(now) for now in read}
        told: set[str] = set()
        for log in step.logs:
            one = followed.get(family.address_of(log))
            if one is not None and one.take(family, log):
                told.add(one.pool.address)
        named = await family.terms([one.pool for one in followed.values()], reader, step.at)
        for one, pool, now in zip(followed.values(), named, read, strict=True):
            if pool != one.pool or one.pool.address in told:
                assert not isinstance(pool, ReadAgain)
                one.row = now.row if one.pool.address in told else one.now().row
                one.pool = now.pool
                one.state = one.row.state(now.pool)
                changed += 1
            assert one.now() == now
        for quote in step.quotes:
            state = followed[run.pools[quote.pool].address].state
            leg = leg_of(state, token_in=quote.token_in, token_out=quote.token_out)
            try:
                ours = leg.amount_out(int(quote.amount_raw))
            except BadValueError:
                ours = 0
            assert ours == int(quote.said_raw or 0)
            equal += ours > 0

    assert sum(one.moves for one in followed.values()) > quotes // 2
    assert changed >= fees
    assert equal > quotes // 2

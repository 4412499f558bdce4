"""A sample of the campaign: ten reorganisations of a real node, pools compared after each."""

import pytest

from tests.chains.following.reorg_campaign import run

pytestmark = pytest.mark.slow


async def test_after_reorganisations_of_a_real_node_no_pool_differs() -> None:
    tally = await run(10, seed=2)

    assert tally.differing == []
    assert tally.rounds == 10
    assert tally.compared > 100
    assert max(tally.depths) > 10

"""A sample of `campaign`: nothing that was acknowledged is lost, nothing unsigned is taken."""

from pathlib import Path

import pytest

from tests.bot.web.hooks.campaign import Campaign


@pytest.mark.campaign
async def test_nothing_acknowledged_is_lost_and_nothing_unsigned_is_taken_over_a_kill(
    tmp_path: Path,
) -> None:
    tally = await Campaign(tmp_path, count=200, kills=1, seed=1).run()

    assert tally.failures == []
    assert tally.kills == 1
    assert len(tally.acknowledged) > 70
    assert all(tally.posted[kind] > 10 for kind in ("fresh", "forged", "changed", "replayed"))

"""A thousand alerts in a minute make twelve messages at most, and no critical one is missed."""

import pytest

from tests.bot.alerts.storm import PATTERNS, run_trial


@pytest.mark.parametrize("pattern", ["slow start", "restart"])  # the others: make alert-storm
async def test_a_thousand_alerts_in_a_minute(pattern: str) -> None:
    result = await run_trial(PATTERNS.index(pattern))

    assert result.is_good, result

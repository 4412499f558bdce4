"""In each venue's own dialect, over a bad network, an order ends with what is true of it."""

from collections import Counter

import pytest

from engine.gateways.gateway_list import GATEWAYS
from tests.effort import examples
from tests.trading.wire_trial import WireTrial

TROUBLE = (
    "request lost",
    "arrived as late as can be",
    "answer lost",
    "a proxy's page",
    "answer cut",
    "stream broken",
    "restarted",
    "answer: Placed",
    "answer: NotPlaced",
    "answer: Unclear",
    "proven not to exist",
)


@pytest.mark.parametrize("venue", GATEWAYS)
def test_every_order_ends_with_what_is_true_of_it(venue: str) -> None:
    happened: Counter[str] = Counter()
    for seed in range(examples(1_200)):
        trial = WireTrial(venue, seed)
        trial.run()
        happened += trial.happened
        assert trial.wrong == [], f"seed {seed}"

    for kind in TROUBLE:
        assert happened[kind] > 0, kind

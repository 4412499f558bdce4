"""What became of an order is found out, however bad the way to its venue, and never guessed."""

from collections import Counter

import pytest

from tests.effort import examples
from tests.trading.model_venue import RULES, Trial

TROUBLE = (
    "request lost",
    "arrived too late",
    "refused",
    "error after acceptance",
    "answer lost",
    "filled later",
    "rests",
    "stream broken",
    "restarted",
)


@pytest.mark.parametrize("name", RULES)
def test_every_order_ends_with_what_is_true_of_it(name: str) -> None:
    happened: Counter[str] = Counter()
    for seed in range(examples(6_000)):
        trial = Trial(RULES[name], seed)
        trial.run()
        happened += trial.happened
        assert trial.wrong == [], f"seed {seed}"

    for kind in TROUBLE:
        assert happened[kind] > 0, kind

"""How hard the tests of a rule try: a sample in `make test`, all of it in `make test-long`.

`make test` tries the same examples each time, so that what it says is said of the change and not
of chance; each deep run draws others, so what many of them try together grows.
"""

import os
from typing import Final

IS_DEEP: Final = os.environ.get("SYNDICATE_TESTS_DEEP") == "1"

SHARE: Final = 4
LEAST: Final = 15


def examples(deep: int) -> int:
    """Return how many examples to try of so many in a deep run."""
    return deep if IS_DEEP else min(deep, max(deep // SHARE, LEAST))

"""Keys that are sealed weakly and open all the same: what protects them well has its own tests."""

from functools import partial

import pytest

from engine.signing.keystore import seal_key
from engine.signing.venue_keys import seal_venue_key

N = 2**10
"""People's keys take 2**18, a second and 256 MB each time one is sealed or opened."""


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the commands about keys seal quickly, and such keys be opened."""
    monkeypatch.setattr("engine.signing.keystore.SCRYPT_N_MIN", N)
    monkeypatch.setattr("engine.tools.keys.seal_key", partial(seal_key, n=N))
    monkeypatch.setattr("engine.tools.keys.seal_venue_key", partial(seal_venue_key, n=N))

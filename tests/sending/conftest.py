"""`sending`: a fresh chain with our contract and a wallet; the node ends with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chains.conftest import start_local
from tests.sending.sending_world import ARTIFACT, CHAIN, SendingWorld


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[SendingWorld]:
    if not ARTIFACT.exists():
        pytest.skip("our contract is not compiled here")
    local = start_local(CHAIN, "--slots-in-an-epoch", "2")
    made = SendingWorld(local, tmp_path)
    yield made
    made.close()
    local.close()

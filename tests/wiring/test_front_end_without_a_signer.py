"""Where nothing can be signed a front-end says so, and not that a role is away."""

from pathlib import Path

import pytest

from engine.domain.errors import TransientError
from engine.requests.wallets import GetWallets
from engine.wiring.front_end import open_front_end


@pytest.mark.parametrize(("signs", "said"), [("off", "no role holds a key"), ("sandbox", "away")])
async def test_who_asks_for_wallets_is_told_whether_anybody_could_answer(
    tmp_path: Path, signs: str, said: str
) -> None:
    environment = {"SYNDICATE_DATA_DIR": str(tmp_path), "SYNDICATE_SIGNER_SIGNS": signs}
    async with open_front_end(environment, directory=tmp_path, is_terminal=True) as front_end:
        with pytest.raises(TransientError, match=said):
            await front_end.facade.ask(GetWallets())

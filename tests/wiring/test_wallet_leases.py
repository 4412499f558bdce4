"""One wallet has one sender: of a machine's installations, and of an installation's engines."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from engine.bus.lease import held_lease
from engine.domain.errors import FatalError, SupersededError
from engine.domain.networks import Network
from engine.settings.load import load_settings
from engine.wiring.live_sending import open_live_sending
from engine.wiring.paths import Paths, prepare
from engine.wiring.wallet_leases import WalletLeases
from tests.signing.intents import CODE_HASH, CONTRACT, TERMS

WALLET = "0x" + "a5" * 20
SEPOLIA = dataclasses.replace(
    TERMS,
    network=Network.TEST,
    chain_ids={"sepolia": 11_155_111},
    contracts={"sepolia": {CONTRACT: CODE_HASH}},
)
HOLESKY = dataclasses.replace(SEPOLIA, chain_ids={"holesky": 17_000})


def leases(folder: Path, terms: Any = SEPOLIA) -> WalletLeases:
    one = WalletLeases(terms, folder / "leases")
    one.prepare()
    return one


def test_a_second_installation_with_the_same_wallet_is_refused_until_the_first_lets_go(
    tmp_path: Path,
) -> None:
    first, second = leases(tmp_path), leases(tmp_path)
    first.take(WALLET)
    first.take(WALLET)  # told again
    with pytest.raises(FatalError, match=f"process {os.getpid()}. signs on sepolia"):
        second.take(WALLET)
    second.take("0x" + "a6" * 20)
    elsewhere = leases(tmp_path, HOLESKY)
    elsewhere.take(WALLET)

    first.close()
    second.take(WALLET)
    second.check()


def test_a_wallet_that_is_not_known_yet_is_leased_when_it_is(tmp_path: Path) -> None:
    first, second = leases(tmp_path), leases(tmp_path)
    first.take("")
    second.take(WALLET)
    with pytest.raises(FatalError, match="signs on sepolia"):
        first.take(WALLET)


def test_who_lost_a_lease_ends(tmp_path: Path) -> None:
    one = leases(tmp_path)
    one.take(WALLET)
    (path,) = one.folder.iterdir()
    path.unlink()
    with pytest.raises(SupersededError):
        one.check()


def test_on_local_chains_nothing_is_leased_as_each_installation_has_its_own(
    tmp_path: Path,
) -> None:
    for _ in range(2):
        one = WalletLeases(TERMS, tmp_path / "leases")
        one.prepare()
        one.take(WALLET)
    assert not (tmp_path / "leases").exists()


def test_a_folder_that_somebody_else_put_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "leases").symlink_to(tmp_path / "other")
    with pytest.raises(FatalError, match="not this user's own folder"):
        leases(tmp_path)


# ---- engines of one installation --------------------------------------------------------------

SANDBOX = {
    "SYNDICATE_SIGNER_SIGNS": "sandbox",
    "SYNDICATE_SIGNER_CONTRACTS": f"base:{CONTRACT}={CODE_HASH}",
    "SYNDICATE_SIGNER_GAS_DAY": "base=0.1",
}


def opened(paths: Paths, environment: dict[str, str] = SANDBOX) -> Any:
    settings = load_settings(environment, directory=paths.data_dir)
    return open_live_sending(settings, paths, Any, lambda: 1)  # type: ignore[arg-type]


def test_of_two_engines_one_sends_and_the_other_says_whose_the_wallet_is(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    with opened(paths) as main:
        assert main.may_send
        assert main.why_not() == ""
        with opened(paths.of("base")) as base:
            assert not base.may_send
            assert base.sender_role is None
            assert f"another engine's (process {os.getpid()})" in base.why_not()
    with opened(paths.of("base")) as base:
        assert base.may_send


def test_where_nothing_may_be_signed_no_engine_has_the_wallet(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    with opened(paths, {}) as main:
        assert not main.may_send
        assert "is off" in main.why_not()
        with held_lease(paths.lease("wallet"), what="engine"):
            pass


async def test_an_engine_that_lost_the_wallet_ends(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    with opened(paths) as main:
        paths.lease("wallet").unlink()
        with pytest.raises(BaseExceptionGroup) as ended:
            await main.run()
    assert ended.group_contains(SupersededError)

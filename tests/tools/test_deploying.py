"""`make deploy`: asks first, verifies, and writes where signer and sender look."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.domain.errors import SettingsError, TransientError
from engine.settings.load import load_settings
from engine.settings.schema import Settings
from engine.signing.secret_files import write_secret_file
from engine.tools.deploying import YES, run_deploy
from engine.wiring.local_deployments import read_deployments
from engine.wiring.markets import SandboxAnnouncement
from engine.wiring.paths import Paths, prepare
from tests.chains.conftest import start_local
from tests.chains.local_world import LocalWorld
from tests.signing.sealed_once import sealed_once
from tests.wiring.test_local_deploying import announced

SECRET = bytes.fromhex("8f2a559490d3c1b6aa4be2fd9b0f3c9bd2d0f3b2d8c5ae63a9a65c0b6bd4a1e7")


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    local = start_local("base")
    yield local
    local.close()


class Rig:
    """A folder with an operator's files, and what was said to them."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.env_file = folder / ".env"
        self.environment = environment
        self.paths: Paths = prepare(str(folder / "var"))
        self.said: list[str] = []
        self.asked: list[str] = []

    def settings(self) -> Settings:
        return load_settings(self.environment, directory=self.folder)

    def run(self, chain: str = "base", *, answer: str | None = YES) -> bool:
        def ask(question: str) -> str:
            self.asked.append(question)
            return answer or ""

        return asyncio.run(
            run_deploy(
                self.settings(),
                self.paths,
                chain=chain,
                is_upgradeable=False,
                env_file=self.env_file,
                ask=None if answer is None else ask,
                say=self.said.append,
                environment=self.environment,
            )
        )

    def make_key(self) -> None:
        write_secret_file(
            self.paths.signer / "key.json",
            sealed_once(self.folder, SECRET, b"zephyr quilt mahogany 41", use="sandbox"),
            what="keystore",
        )

    def announce(self, world: LocalWorld) -> None:
        content = SandboxAnnouncement(
            websocket_urls={},
            rest_urls={},
            pairs={},
            market_note="",
            pools=[],
            local_chains={"base": announced(world)},
        )
        self.paths.sandbox_announce.parent.mkdir(exist_ok=True)
        self.paths.sandbox_announce.write_bytes(msgspec.json.encode(content))


@pytest.mark.slow
def test_after_a_yes_the_settings_name_what_is_on_the_chain_and_keep_what_they_said(
    tmp_path: Path, world: LocalWorld
) -> None:
    rig = Rig(tmp_path)
    rig.env_file.touch(mode=0o600)
    rig.env_file.write_text(
        "SYNDICATE_SIGNER_CONTRACTS=polygon:0x" + "11" * 20 + "=0x" + "22" * 32 + "\n"
        "SYNDICATE_SIGNER_GAS_DAY=polygon=7\n"
    )
    rig.make_key()
    rig.announce(world)

    assert rig.run()

    own = rig.settings().signer
    (place,) = (one for one in own.contracts if one.startswith("base:"))
    code = world.rpc.ask("eth_getCode", place.removeprefix("base:"), "latest")
    assert len(code) > 1_000
    assert own.signs == "sandbox"
    assert "polygon:0x" + "11" * 20 in own.contracts
    assert own.gas_day == {"base": Decimal("0.05"), "polygon": Decimal(7)}
    assert own.notional_day_usd == 10_000_000
    assert any("ETH" in line and "gwei" in line for line in rig.said)
    assert len(rig.asked) == 1
    assert set(read_deployments(rig.paths)) == {"base"}
    block = world.head()["number"]

    assert rig.run(), "the second time it says what is there"
    assert len(rig.asked) == 1
    assert world.head()["number"] == block


@pytest.mark.slow
def test_without_a_yes_nothing_is_sent_and_nothing_written(
    tmp_path: Path, world: LocalWorld
) -> None:
    rig = Rig(tmp_path)
    rig.make_key()
    rig.announce(world)
    block = world.head()["number"]

    assert not rig.run(answer="y")

    assert world.head()["number"] == block
    assert not rig.env_file.exists()
    assert read_deployments(rig.paths) == {}
    assert any("4," in line for line in rig.said), "the cost was shown all the same"


def test_a_network_that_is_not_signed_for_is_refused_in_words(tmp_path: Path) -> None:
    rig = Rig(tmp_path, MARKETS="live")
    rig.make_key()

    with pytest.raises(SettingsError, match="base is a main network, with real money"):
        rig.run()
    with pytest.raises(SettingsError, match="sepolia is a test network, whose coins"):
        rig.run("sepolia")
    with pytest.raises(SettingsError, match="'dogechain' is no known network"):
        rig.run("dogechain")


def test_what_is_missing_is_said_with_what_to_do(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with pytest.raises(TransientError, match="start it with make run"):
        rig.run()


@pytest.mark.slow
def test_no_wallet_and_no_such_chain_are_refused_before_anything_is_sent(
    tmp_path: Path, world: LocalWorld
) -> None:
    rig = Rig(tmp_path)
    rig.announce(world)
    with pytest.raises(SettingsError, match="keys make makes it"):
        rig.run()
    rig.make_key()
    with pytest.raises(SettingsError, match=r"'basee' is no local chain .* those are: base"):
        rig.run("basee")
    rig.environment = {"SYNDICATE_SIGNER_SIGNS": "sandbox"}
    with pytest.raises(SettingsError, match="unset it first"):
        rig.run()

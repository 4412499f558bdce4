"""Our contract on networks: a node of this machine poses as one, in tests only."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pyotp
import pytest

from engine.bus.signing import HearWord, SignRequest
from engine.bus.unix_socket import SocketCaller
from engine.domain.chains import CHAINS, NETWORKS, TEST_NETWORKS
from engine.domain.errors import BadValueError, FatalError, SettingsError
from engine.domain.modes import Mode
from engine.domain.networks import Network
from engine.domain.signing import Purpose, RefusalKind, Signed
from engine.domain.told import Asked
from engine.domain.words import WentLive, sealed_word
from engine.operate.clock import make_clock
from engine.operate.mode_word import ModeWord
from engine.sandbox.world.abi import call_data
from engine.sandbox.world.anvil import Anvil, start_anvil
from engine.sandbox.world.building import NODE_OPTIONS, Built, built
from engine.sandbox.world.rpc import Rpc
from engine.settings.load import load_settings
from engine.settings.passing import text_of
from engine.settings.schema import Settings, environment_name
from engine.signing.curve import LocalKey
from engine.signing.secret_files import write_secret_file
from engine.signing.self_tested import read_self_tests
from engine.tools.deploying import YES, run_deploy
from engine.tools.network_deploying import Owner, network_of
from engine.tools.self_test import Trial, network_trial, run_trial
from engine.wiring.going_live import why_not_live
from engine.wiring.network_deploying import read_begun
from engine.wiring.paths import prepare
from engine.wiring.sender_role import open_sender
from engine.wiring.sending_path import sent_basis
from engine.wiring.sending_warnings import SendingWarnings
from engine.wiring.signing_terms import signing_terms
from tests.chains.conftest import need_packages
from tests.patience import PATIENCE_S
from tests.signing.intents import make_protective
from tests.signing.saying import WORD_KEY
from tests.signing.sealed_once import sealed_once
from tests.signing.test_role import Role, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PASSWORD = b"zephyr quilt mahogany 41"
WALLET, OWNER = LocalKey(b"\x21" * 32), LocalKey(b"\x22" * 32)
RECOVERY = "0x" + "4e" * 20
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class BrokeOffError(Exception):
    """The program ended here."""


@contextmanager
def node_posing_as(chain: str) -> Iterator[tuple[Anvil, Built]]:
    """A node of this machine that says it is of a network, with pools of the usual makers."""
    need_packages()
    world = built("ethereum")
    node = start_anvil(chain_id=NETWORKS[chain].chain_id, state=world.state, options=NODE_OPTIONS)
    try:
        with Rpc(node.url) as rpc:
            rpc.ask("anvil_setBalance", OWNER.address, hex(10**19))
            rpc.ask("anvil_setBalance", WALLET.address, hex(10**18))
        yield node, world
    finally:
        node.stop()


@contextmanager
def posing_as(chain: str) -> Iterator[tuple[Rpc, Built]]:
    """The same, and who asks it."""
    with node_posing_as(chain) as (node, world), Rpc(node.url) as rpc:
        yield rpc, world


class Rig:
    """An operator's folder for one network."""

    def __init__(self, folder: Path, rpc: Rpc, chain: str, world: Built, **more: str) -> None:
        self.folder, self.chain, self.world = folder, chain, world
        self.kind = network_of(chain)
        self.env_file = folder / ".env"
        self.paths = prepare(str(folder / "var"))
        self.leases = folder
        self.said: list[str] = []
        self.asked: list[str] = []
        self.environment = {
            "SYNDICATE_DATA_DIR": str(self.paths.data_dir),
            "MARKETS": "live",
            "SYNDICATE_CHAINS_PROVIDERS": f"{chain}={rpc.url}",
            "SYNDICATE_SIGNER_SIGNS": self.kind.value,
            **more,
        }
        self.password = folder / "password"
        write_secret_file(self.password, PASSWORD, what="password file")
        for key, path in ((b"\x21" * 32, self.wallet_key), (b"\x22" * 32, self.owner_key)):
            content = sealed_once(folder, key, PASSWORD, use=self.kind.key_use)
            write_secret_file(path, content, what="keystore")

    @property
    def wallet_key(self) -> Path:
        return self.paths.signer / "key.json"

    @property
    def owner_key(self) -> Path:
        return self.folder / "owner.json"

    def settings(self) -> Settings:
        return load_settings(self.environment, directory=self.folder)

    def deploy(self, answer: str = YES, **changes: Any) -> bool:
        def ask(question: str) -> str:
            self.asked.append(question)
            return answer

        terms: dict[str, Any] = {
            "keystore": self.owner_key,
            "password_file": self.password,
            "recovery": RECOVERY,
            "wrapped": self.world.made.contracts["wrapped"],
        }
        return asyncio.run(
            run_deploy(
                self.settings(),
                self.paths,
                chain=self.chain,
                is_upgradeable=False,
                env_file=self.env_file,
                ask=ask,
                say=self.said.append,
                environment={},
                owner=Owner(**terms | changes),
            )
        )

    @property
    def contract(self) -> str:
        (place,) = self.settings().signer.contracts
        return place.partition(":")[2]

    def trial(self, rpc: Rpc) -> Trial:
        """Where the self-test looks, with the pools that this node has."""
        return Trial(
            url=rpc.url,
            network=self.kind,
            chain_id=NETWORKS[self.chain].chain_id,
            wrapped=self.world.made.contracts["wrapped"],
            dexes=self.world.made.dexes,
        )

    @contextmanager
    def signer(self, *, has_password: bool = True, **changes: str) -> Iterator[Role]:
        own: dict[str, Any] = {
            name: text for name, text in self.environment.items() if "DATA_DIR" not in name
        }
        own["TMPDIR"] = str(self.leases)  # a machine of its own, as far as wallets are leased
        settings = self.settings().signer
        for name in ("contracts", "gas_day", "notional_day_usd"):
            own[environment_name("signer", name)] = text_of(getattr(settings, name))
        own |= changes
        with running(self.folder, b"", has_password=has_password, **own) as role:
            yield role


# ---- deploying --------------------------------------------------------------------------------


def test_each_test_network_is_a_copy_of_a_chain_and_is_none_of_them() -> None:
    numbers = [facts.chain_id for facts in NETWORKS.values()]
    assert len(set(numbers)) == len(numbers)
    assert not set(TEST_NETWORKS) & set(CHAINS)
    assert {network_of(name) for name in TEST_NETWORKS} == {Network.TEST}
    assert {network_of(name) for name in CHAINS} == {Network.MAIN}


def test_after_a_dry_run_and_a_yes_the_contract_is_the_owners_and_the_settings_name_it(
    tmp_path: Path,
) -> None:
    with posing_as("sepolia") as (rpc, world):
        rig = Rig(tmp_path, rpc, "sepolia", world)

        assert not rig.deploy("no")
        assert not rig.env_file.exists()
        assert int(rpc.ask("eth_getTransactionCount", OWNER.address, "latest"), 16) == 0
        assert any("gwei" in line for line in rig.said)
        assert any("the TEST NETWORK sepolia" in line for line in rig.said)

        assert rig.deploy()
        owner = rpc.ask("eth_call", {"to": rig.contract, "data": call_data("owner()")}, "latest")
        assert owner[-40:] == OWNER.address[2:]
        assert rig.settings().signer.gas_day
        _keeps_the_keys_to_itself(rig)

        sent, questions = int(rpc.ask("eth_blockNumber"), 16), len(rig.asked)
        assert rig.deploy(), "the second time it says what is there"
        assert int(rpc.ask("eth_blockNumber"), 16) == sent
        assert len(rig.asked) == questions


def _keeps_the_keys_to_itself(rig: Rig) -> None:
    written = [one.read_bytes() for one in rig.folder.rglob("*") if one.is_file()]
    written += ["\n".join([*rig.said, *rig.asked]).encode()]
    for secret in (b"\x21" * 32, b"\x22" * 32, b"21" * 32, b"22" * 32):
        assert not any(secret in one for one in written)
    assert sum(PASSWORD in one for one in written) == 1, "the password file alone has it"


def test_a_deployment_that_broke_off_goes_on_where_it_was(tmp_path: Path) -> None:
    with posing_as("sepolia") as (rpc, world):
        rig = Rig(tmp_path, rpc, "sepolia", world)
        said = rig.said.append

        class Gone(list[str]):
            def append(self, line: str) -> None:
                said(line)
                if ": sent, " in line:
                    raise BrokeOffError

        rig.said = Gone()
        with pytest.raises(BrokeOffError):
            rig.deploy()
        first = read_begun(rig.paths)["sepolia"]
        assert first.first_nonce == 0
        _until_included(rpc, 1)
        rig.said = []
        assert rig.deploy()
        assert any("done already" in line for line in rig.said)
        assert _included(rpc) == 3
        assert rig.contract == first.plan().contract


def _included(rpc: Rpc) -> int:
    return int(rpc.ask("eth_getTransactionCount", OWNER.address, "latest"), 16)


def _until_included(rpc: Rpc, count: int) -> None:
    """Wait until blocks have so many transactions of the owner's: a node takes its time."""
    until = time.monotonic() + PATIENCE_S
    while _included(rpc) < count:
        assert time.monotonic() < until


def test_what_is_missing_to_deploy_is_said_and_nothing_is_sent(tmp_path: Path) -> None:
    with posing_as("sepolia") as (rpc, world):
        rig = Rig(tmp_path, rpc, "sepolia", world)
        with pytest.raises(FatalError, match="has no code there: --wrapped names it"):
            rig.deploy(wrapped="0x" + "99" * 20)
        rpc.ask("anvil_setBalance", OWNER.address, hex(10))
        with pytest.raises(FatalError, match="coins for gas, and it may take"):
            rig.deploy()
        with pytest.raises(SettingsError, match="is the wallet itself"):
            rig.deploy(keystore=rig.wallet_key)
        with pytest.raises(SettingsError, match="there is no key of the contract's owner"):
            rig.deploy(keystore=tmp_path / "none.json")
        other = tmp_path / "live.json"
        write_secret_file(
            other, sealed_once(tmp_path, b"\x22" * 32, PASSWORD, use="live"), what="keystore"
        )
        with pytest.raises(SettingsError, match="takes one made --for test"):
            rig.deploy(keystore=other)
        rig.environment["SYNDICATE_SIGNER_SIGNS"] = "main"
        with pytest.raises(SettingsError, match="sepolia is a test network"):
            rig.deploy()
        rig.environment["SYNDICATE_SIGNER_SIGNS"] = "test"
        rig.environment["SYNDICATE_CHAINS_PROVIDERS"] = f"holesky={rpc.url}"
        with pytest.raises(SettingsError, match="no node of sepolia is named"):
            rig.deploy()
        rig.chain = "holesky"
        with pytest.raises(FatalError, match="the node is of chain id 11155111, not 17000"):
            rig.deploy()
        assert int(rpc.ask("eth_getTransactionCount", OWNER.address, "latest"), 16) == 0


# ---- live on a test network -------------------------------------------------------------------


async def test_on_a_test_network_the_self_test_opens_what_the_signer_signs_and_the_sender_sends(
    tmp_path: Path,
) -> None:
    with posing_as("sepolia") as (rpc, world):
        rig = Rig(tmp_path, rpc, "sepolia", world)
        assert await asyncio.to_thread(rig.deploy)
        settings = rig.settings()
        with rig.signer() as role:
            await role.until_up()
            assert "no self-test passed on sepolia" in why_not_live(settings, rig.paths)
            with pytest.raises(BadValueError, match="no self-test passed on sepolia"):
                await role.ask(going_live())
            said: list[str] = []
            assert await run_trial(
                settings, rig.paths, rig.trial(rpc), chain="sepolia", say=said.append
            ), said
            assert any("a test network" in line for line in said)
            assert why_not_live(settings, rig.paths) == ""
            await role.ask(going_live())
            ModeWord(rig.paths.engines / "main").write(Mode.LIVE)

            await _pauses_by_the_sender(rig, rpc, role)

            rpc.ask("anvil_setCode", rig.contract, "0x00")
            said.clear()
            assert not await run_trial(
                settings, rig.paths, rig.trial(rpc), chain="sepolia", say=said.append
            )
            assert any("FAIL" in line and "not 0x" in line for line in said)
            assert "sepolia" not in read_self_tests(rig.paths.signer)


async def _pauses_by_the_sender(rig: Rig, rpc: Rpc, role: Role) -> None:
    """Pause on chain: by the sender's own path, signed by the signer for that chain's number."""
    settings, clock = rig.settings(), make_clock()
    signer = SocketCaller(role.paths.socket("signer"), role="signer")
    ledger = SocketCaller(role.paths.socket("ledger"), role="ledger")
    warnings = SendingWarnings(ledger, basis=sent_basis(settings), clock=clock)
    try:
        async with open_sender(
            settings,
            rig.paths,
            signer,
            contracts=signing_terms(settings).contracts,
            clock=clock,
            warnings=warnings,
        ) as answers:
            async with asyncio.timeout(PATIENCE_S):
                while rig.chain not in answers.desks:
                    await asyncio.sleep(0.05)
            await answers.ask_contract(
                Asked(command_id="c1", chain=rig.chain, is_pause=True, by="ann", at_ns=clock())
            )
            await _until_paused(rpc, rig.contract)
            report = answers.transactions(5)
            assert report.basis.value == "test network live"
            assert report.transactions[0].explorer_url.startswith("https://sepolia.etherscan.io/")
    finally:
        await signer.aclose()
        await ledger.aclose()


def going_live(code: str | None = None) -> HearWord:
    word = WentLive(engine="main", by="ann", at_ns=time.time_ns(), code=code)
    return HearWord(word=sealed_word(word, WORD_KEY))


# ---- live on a main network -------------------------------------------------------------------


async def test_a_node_that_poses_as_a_main_network_is_signed_for_behind_every_gate_alone(
    tmp_path: Path,
) -> None:
    with posing_as("ethereum") as (rpc, world):
        rig = Rig(tmp_path, rpc, "ethereum", world)
        assert await asyncio.to_thread(rig.deploy)
        assert any("the MAIN NETWORK ethereum, WITH REAL MONEY" in line for line in rig.said)
        own = rig.settings().signer
        assert (own.gas_day, own.notional_day_usd) == ({}, None), "these only you say"
        limits = {
            "SYNDICATE_SIGNER_GAS_DAY": "ethereum=0.05",
            "SYNDICATE_SIGNER_NOTIONAL_DAY_USD": "1000",
            "SYNDICATE_SIGNER_USD_LEAST": "ETH=1500",
            "SYNDICATE_OPERATOR_TOTP_SECRET": SECRET,
        }
        rig.environment |= limits
        settings = rig.settings()
        with rig.signer() as role:
            await role.until_up()
            with pytest.raises(BadValueError, match="no self-test passed on ethereum"):
                await role.ask(going_live(code_now()))
            assert not await run_trial(
                settings,
                rig.paths,
                network_trial(settings, "ethereum"),
                chain="ethereum",
                say=lambda _line: None,
            ), "no route could be tried through the pools that the real one has"
            assert await run_trial(
                settings, rig.paths, rig.trial(rpc), chain="ethereum", say=rig.said.append
            ), rig.said
            assert any("a MAIN network" in line for line in rig.said)
            assert why_not_live(settings, rig.paths) == ""
            with pytest.raises(BadValueError, match="takes a one-time code"):
                await role.ask(going_live())
            with pytest.raises(BadValueError, match="the code is wrong"):
                await role.ask(going_live("000000"))
            await role.ask(going_live(code_now()))
            ModeWord(rig.paths.engines / "main").write(Mode.LIVE)
            pause = make_protective(Purpose.PAUSE, chain_id=1, to=rig.contract, nonce=0)
            named = settings.signer.contracts[f"ethereum:{rig.contract}"]
            pause = msgspec.structs.replace(pause, code_hash=named)
            reply = await role.ask(SignRequest(intent=pause))
            assert isinstance(reply, Signed), reply
            other = msgspec.structs.replace(pause, code_hash="0x" + "00" * 32)
            refused = await role.ask(SignRequest(intent=other))
            assert refused.kind is RefusalKind.CODE_HASH
            rpc.ask("eth_sendRawTransaction", "0x" + reply.raw.hex())
            await _until_paused(rpc, rig.contract)


async def _until_paused(rpc: Rpc, contract: str) -> None:
    asked = {"to": contract, "data": call_data("isPaused()")}
    async with asyncio.timeout(PATIENCE_S):
        while not int(rpc.ask("eth_call", asked, "latest"), 16):
            await asyncio.sleep(0.05)


def code_now() -> str:
    return pyotp.TOTP(SECRET).now()

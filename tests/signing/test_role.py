"""The role as a process: its key is nowhere else, and it does only what it says."""

import asyncio
import contextlib
import ctypes
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from eth_account import Account

from engine.bus.lease import held_lease
from engine.bus.signing import HearWord, SignRequest, TakeBackWords, WalletsReport
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import BadValueError, SettingsError, SupersededError, TransientError
from engine.domain.modes import Mode
from engine.domain.permits import Permit, PermitKind
from engine.domain.signing import Purpose, RefusalKind, Signed
from engine.operate import exit_codes
from engine.operate.mode_word import ModeWord
from engine.requests.wallets import GetWallets, UnlockSigner
from engine.sandbox.world.anvil import running_anvil
from engine.sandbox.world.rpc import Rpc
from engine.settings.passing import PASSED_TO_SIGNER, role_environment
from engine.settings.schema import MarketsSettings, Settings, SignerSettings
from engine.signing.journal import Journal
from engine.signing.secret_files import write_secret_file
from engine.signing.words import Words
from engine.wiring.paths import Paths, prepare, prepare_engine
from engine.wiring.run import role_specs
from engine.wiring.signer_keys import key_place
from engine.wiring.signer_leave import Leave
from engine.wiring.signing_terms import signing_terms
from engine.wiring.word_key import WORD_KEY_ENVIRONMENT_NAME
from tests.patience import PATIENCE_S
from tests.signing.intents import (
    CODE_HASH,
    CONTRACT,
    make_intent,
    make_plan,
    make_protective,
    make_route,
)
from tests.signing.saying import WORD_KEY, granted, went_live
from tests.signing.sealed_once import sealed_once
from tests.signing.test_remote import has_node

ROOT = Path(__file__).resolve().parents[2]
SECRET = bytes.fromhex("c87509a1c067bbde78beb793e6fa76530b6382a4c0241e5e4a9ec0a0f44dc0d3")
PASSWORD = "correct horse battery"
MEMORY_MB_MAX = 60

pytestmark = pytest.mark.slow


@pytest.fixture
def keystore(tmp_path: Path) -> bytes:
    return sealed_once(tmp_path, SECRET, PASSWORD.encode(), use="sandbox")


@dataclass
class Role:
    paths: Paths
    process: subprocess.Popen[bytes]
    log: Path

    async def ask(self, request: Any) -> Any:
        caller = SocketCaller(self.paths.socket("signer"), role="signer")
        try:
            return await caller.call(request, timeout_s=PATIENCE_S)
        finally:
            await caller.aclose()

    async def until_up(self) -> WalletsReport:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                report = await self.ask(GetWallets())
            except TransientError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < until
                await asyncio.sleep(0.02)
            else:
                assert isinstance(report, WalletsReport)
                return report

    async def sign(self, **changes: Any) -> Any:
        now_ns = time.time_ns()
        plan = make_plan(deadline_ns=now_ns + 5 * 10**9)
        route = make_route(deadline_ts=now_ns // 10**9 + 5)
        return await self.ask(SignRequest(intent=make_intent(plan, route, **changes)))


@contextlib.contextmanager
def running(
    folder: Path, keystore: bytes, *, has_password: bool = True, **changes: Any
) -> Iterator[Role]:
    paths = prepare(str(folder / "var"))
    prepare_engine(paths)
    ModeWord(paths.engines / "main").write(Mode.PAPER)
    environment = os.environ | {
        "SYNDICATE_DATA_DIR": str(paths.data_dir),
        "SYNDICATE_SIGNER_SIGNS": "sandbox",
        "SYNDICATE_SIGNER_CONTRACTS": f"base:{CONTRACT}={CODE_HASH}",
        "SYNDICATE_SIGNER_GAS_DAY": "base=0.1",
        WORD_KEY_ENVIRONMENT_NAME: WORD_KEY.hex(),
        **changes,
    }
    key = paths.signer / "key.json"
    if not key.exists():
        write_secret_file(key, keystore, what="keystore")
    if has_password:
        password = folder / "password"
        if not password.exists():
            write_secret_file(password, PASSWORD.encode(), what="password file")
        environment["SYNDICATE_SIGNER_PASSWORD_FILE"] = str(password)
    log = folder / "signer.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine", "role", "signer"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield Role(paths, process, log)
    finally:
        process.kill()
        process.wait()


async def test_it_signs_in_a_mode_that_trades_and_in_no_other(
    tmp_path: Path, keystore: bytes
) -> None:
    with running(tmp_path, keystore) as role:
        report = await role.until_up()
        assert report.address == Account.from_key(SECRET).address.lower()
        word = ModeWord(role.paths.engines / "main")
        for mode in (Mode.OBSERVE, Mode.PAPER):
            word.write(mode)
            assert (await role.sign()).kind is RefusalKind.MODE
        word.write(Mode.APPROVE)
        unpermitted = await role.sign()
        assert unpermitted.kind is RefusalKind.MODE
        assert "nobody permitted the plan" in unpermitted.detail
        await _is_live_by_a_persons_word_alone(role, word)
        word.remove()
        assert (await role.sign()).kind is RefusalKind.MODE
        assert (await role.sign(engine="../main")).kind is RefusalKind.MODE
        assert isinstance(
            await role.ask(SignRequest(intent=make_protective(Purpose.PAUSE, nonce=50))), Signed
        )
        used = {line.what: line.used for line in (await role.ask(GetWallets())).caps}
    assert used["signatures to protect"] == 1
    assert used["signatures"] == 1


async def _is_live_by_a_persons_word_alone(role: Role, word: ModeWord) -> None:
    word.write(Mode.LIVE)
    unsaid = await role.sign()
    assert unsaid.kind is RefusalKind.MODE
    assert "the chat has told of nobody who went live" in unsaid.detail
    with pytest.raises(BadValueError, match="its seal is not that of the chat"):
        await role.ask(HearWord(word=went_live(at_ns=time.time_ns(), key=bytes(32))))
    await role.ask(HearWord(word=went_live(at_ns=time.time_ns())))
    assert isinstance(await role.sign(), Signed)
    word.write(Mode.LIVE)  # as somebody does who left the mode and came back unasked
    again = await role.sign(nonce=8)
    assert "the mode was left since a person went live" in again.detail


async def test_a_permitted_plan_is_signed_until_either_latch_is_set(
    tmp_path: Path, keystore: bytes
) -> None:
    with running(tmp_path, keystore) as role:
        await role.until_up()
        ModeWord(role.paths.engines / "main").write(Mode.APPROVE)

        async def hears() -> None:
            await role.ask(HearWord(word=granted("m1", at_ns=time.time_ns())))

        def asked(nonce: int) -> SignRequest:
            now_ns = time.time_ns()
            permit = Permit(kind=PermitKind.MANDATE, id="m1")
            plan = make_plan(nonce, deadline_ns=now_ns + 60 * 10**9, permit=permit)
            route = make_route(deadline_ts=now_ns // 10**9 + 60)
            return SignRequest(intent=make_intent(plan, route, nonce=nonce))

        assert (await role.ask(asked(1))).kind is RefusalKind.PERMIT
        await hears()
        reply = await role.ask(asked(1))
        assert isinstance(reply, Signed), reply
        assert Account.recover_transaction(reply.raw) == Account.from_key(SECRET).address
        latches = role.paths.latches()
        for latch in (latches.of_all, latches.own):
            latch.kill(by="test", why="looking")
            assert (await role.ask(asked(2))).kind is RefusalKind.KILLED
            assert isinstance(
                await role.ask(SignRequest(intent=make_protective(Purpose.PAUSE, nonce=50))), Signed
            )
            latch.clear()
            latch.path.unlink()
            assert (await role.ask(asked(2))).kind is RefusalKind.KILLED
            latch.create()
        void = await role.ask(asked(2))
        assert void.kind is RefusalKind.PERMIT
        assert "a kill or another mode came after it" in void.detail
        await role.ask(TakeBackWords(engine="main"))
        await hears()
        assert isinstance(await role.ask(asked(2)), Signed)
        await _says_so_after_a_restart(role, tmp_path, keystore, asked(2), reply)


async def _says_so_after_a_restart(
    role: Role, folder: Path, keystore: bytes, other: SignRequest, reply: Signed
) -> None:
    role.process.kill()
    role.process.wait()
    with running(folder, keystore) as again:
        report = await again.until_up()
        ModeWord(role.paths.engines / "main").write(Mode.APPROVE)
        assert {line.what: line.used for line in report.caps}["signatures"] == 2
        changed = msgspec.structs.replace(
            other.intent, transaction=msgspec.structs.replace(other.intent.transaction, nonce=1)
        )
        forgotten = await again.ask(SignRequest(intent=changed))
        assert "no person granted it" in forgotten.detail
        await again.ask(HearWord(word=granted("m1", at_ns=time.time_ns())))
        assert (await again.ask(SignRequest(intent=changed))).kind is RefusalKind.NONCE
        assert reply.raw


async def test_without_a_password_it_waits_locked_until_a_person_gives_the_right_one(
    tmp_path: Path, keystore: bytes
) -> None:
    with running(tmp_path, keystore, has_password=False) as role:
        assert (await role.until_up()).is_locked
        assert (await role.sign()).kind is RefusalKind.LOCKED
        with pytest.raises(BadValueError, match="the password is wrong"):
            await role.ask(UnlockSigner(password="incorrect horse battery"))
        assert (await role.ask(GetWallets())).is_locked
        password = tmp_path / "typed"
        write_secret_file(password, PASSWORD.encode(), what="password file")
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "engine", "keys", "unlock", "--password-file", str(password)],
            cwd=ROOT,
            env=os.environ | {"SYNDICATE_DATA_DIR": str(role.paths.data_dir)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not (await role.ask(GetWallets())).is_locked
        with pytest.raises(BadValueError, match="open already"):
            await role.ask(UnlockSigner(password=PASSWORD))
        assert PASSWORD not in role.log.read_text()
        assert SECRET.hex() not in role.log.read_text()


async def test_a_second_signer_is_refused_and_the_socket_is_this_users_alone(
    tmp_path: Path, keystore: bytes
) -> None:
    with running(tmp_path, keystore) as role:
        await role.until_up()
        path = role.paths.socket("signer")
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o077 == 0
        with running(tmp_path, keystore) as second:
            assert second.process.wait(PATIENCE_S) == exit_codes.FATAL
            assert "another signer" in second.log.read_text()
        assert not (await role.ask(GetWallets())).is_locked


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"SYNDICATE_SIGNER_SIGNS": "off"}, "is off: nothing is signed"),
        ({"MARKETS": "live"}, "could be sent to real ones"),
        ({"SYNDICATE_SIGNER_PASSWORD_FILE": "/nowhere"}, "cannot be read"),
        ({"SYNDICATE_SIGNER_KEYSTORE": "/nowhere"}, "cannot be read"),
        ({"SYNDICATE_SIGNER_REMOTE_URL": "http://127.0.0.1:9"}, "REMOTE_ADDRESS is missing"),
        ({"SYNDICATE_SIGNER_CONTRACTS": "base:0x12=0x34"}, "SYNDICATE_SIGNER_CONTRACTS"),
        ({"SYNDICATE_SIGNER_GAS_DAY": "bsae=1"}, "nearest known one is base"),
    ],
)
def test_what_cannot_be_used_ends_it_in_a_sentence(
    tmp_path: Path, keystore: bytes, change: dict[str, str], says: str
) -> None:
    with running(tmp_path, keystore, has_password=False, **change) as role:
        code = role.process.wait(PATIENCE_S)
        said = role.log.read_text()
    assert code == exit_codes.BROKEN_SETTINGS, said
    assert says in said
    assert "Traceback" not in said


def test_a_wrong_password_or_a_key_for_another_use_ends_it_in_a_sentence(
    tmp_path: Path, keystore: bytes
) -> None:
    live = json.dumps(json.loads(keystore) | {"syndicate": "live"}).encode()
    for name, content, password, says in (
        ("a", keystore, "another password", "the password is wrong"),
        ("b", live, PASSWORD, "is for live"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        write_secret_file(folder / "password", password.encode(), what="password file")
        with running(folder, content) as role:
            assert role.process.wait(PATIENCE_S) == exit_codes.BROKEN_SETTINGS
            assert says in role.log.read_text()


# ---- what it does to itself -------------------------------------------------------------------


def _has_landlock() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    return platform.system() == "Linux" and libc.syscall(444, None, 0, 1) > 0


LARGE = ("numba", "numpy", "sqlalchemy", "telegram", "web3", "py_ecc", "pydantic", "httpx", "rlp")


def test_it_loads_no_large_library_that_it_can_do_without(tmp_path: Path, keystore: bytes) -> None:
    with running(tmp_path, keystore, has_password=False, PYTHONPROFILEIMPORTTIME="1") as role:
        asyncio.run(role.until_up())
        said = role.log.read_text()
    loaded = set(re.findall(r"^import time:.*\| +(\S+)$", said, re.MULTILINE))
    assert "engine.wiring.signer_role" in loaded
    assert loaded.isdisjoint(LARGE)


def _read(path: str) -> str:
    return Path(path).read_text()


async def test_it_takes_little_memory_and_keeps_it_to_itself(
    tmp_path: Path, keystore: bytes
) -> None:
    with running(tmp_path, keystore) as role:
        report = await role.until_up()
        pid = role.process.pid
        memory_mb = psutil.Process(pid).memory_info().rss / 1_000_000
        status, limits = (_read(f"/proc/{pid}/{name}") for name in ("status", "limits"))
        role.process.send_signal(signal.SIGSEGV)
        role.process.wait()
    assert memory_mb < MEMORY_MB_MAX
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status or any("seccomp" in one for one in report.missing)
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    assert role.process.returncode == -signal.SIGSEGV
    assert not [*ROOT.glob("core*")]
    if platform.machine() in {"x86_64", "aarch64"}:
        assert not any("seccomp" in one for one in report.missing), report.missing
    if _has_landlock():
        assert not any("landlock" in one for one in report.missing), report.missing


CONFINED = """
import os, socket, subprocess, sys
from pathlib import Path
from engine.signing.guards import Needs, guard_calls, guard_memory
readable, writable, outside = map(Path, sys.argv[1:4])
guards = guard_memory() + guard_calls(Needs(readable=(readable,), writable=(writable,)))
def tried(what, act):
    try:
        act()
    except (OSError, subprocess.SubprocessError) as error:
        print(what, type(error).__name__)
    else:
        print(what, "done")
tried("read", lambda: (readable / "file").read_text())
tried("write", lambda: (writable / "new").write_text("x"))
tried("read outside", lambda: outside.read_text())
tried("write outside", lambda: outside.write_text("x"))
tried("write what is for reading", lambda: (readable / "file").write_text("x"))
tried("unix", lambda: socket.socketpair())
tried("tcp", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[4])), 1))
tried("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
tried("fork", os.fork)
tried("execve", lambda: os.execv("/bin/true", ["true"]))
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def ptrace():
    if libc.ptrace(0, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "no")
tried("ptrace", ptrace)
import threading
one = threading.Thread(target=lambda: tried("thread outside", lambda: outside.read_text()))
one.start(); one.join()
for guard in guards:
    print(guard.name, "up" if guard.is_up else "missing")
"""


@pytest.mark.skipif(not _has_landlock(), reason="this kernel has no Landlock")
def test_what_it_gave_up_the_kernel_refuses(tmp_path: Path) -> None:
    readable, writable, outside = tmp_path / "r", tmp_path / "w", tmp_path / "outside"
    readable.mkdir()
    writable.mkdir()
    (readable / "file").write_text("x")
    outside.write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = [*map(str, (readable, writable, outside)), str(server.getsockname()[1])]
        done = subprocess.run(
            [sys.executable, "-c", CONFINED, *words],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert {what: said[what] for what in ("read", "write", "unix")} == {
        "read": "done", "write": "done", "unix": "done",
    }  # fmt: skip
    denied = (
        "read outside", "write outside", "write what is for reading", "tcp", "udp", "fork",
        "execve", "ptrace", "thread outside",
    )  # fmt: skip
    assert {what: said[what] for what in denied} == dict.fromkeys(denied, "PermissionError")


@pytest.mark.skipif(not has_node(), reason="there is no local chain's node here")
async def test_a_remote_signer_is_asked_from_behind_all_guards(tmp_path: Path) -> None:
    with running_anvil(chain_id=8_453) as node, Rpc(node.url) as rpc:
        address = rpc.ask("eth_accounts")[0]
        extra = {
            "SYNDICATE_SIGNER_REMOTE_URL": node.url,
            "SYNDICATE_SIGNER_REMOTE_ADDRESS": address,
        }
        with running(tmp_path, b"{}", has_password=False, **extra) as role:
            report = await role.until_up()
            assert (report.is_locked, report.key) == (False, "remote signer")
            reply = await role.ask(SignRequest(intent=make_protective(Purpose.PAUSE)))
            assert isinstance(reply, Signed), reply
            assert Account.recover_transaction(reply.raw).lower() == address
            again = await role.ask(SignRequest(intent=make_protective(Purpose.PAUSE)))
            assert (again.raw, again.is_repeat) == (reply.raw, True)
            node.stop()
            lost = await role.ask(SignRequest(intent=make_protective(Purpose.PAUSE, nonce=9)))
            assert lost.kind is RefusalKind.KEY


# ---- where it is not --------------------------------------------------------------------------


def _specs(settings: Settings, folder: Path) -> list[str]:
    return [spec.name for spec in role_specs(settings, Paths(folder), has_bot=True)]


@pytest.mark.parametrize("mode", ["observe", "paper"])
def test_unless_signing_is_switched_on_no_role_is_there_that_could(
    tmp_path: Path, mode: Any
) -> None:
    settings = Settings()
    paper = msgspec.structs.replace(settings.paper, mode_at_first_start=mode)
    settings = msgspec.structs.replace(settings, paper=paper)
    assert "signer" not in _specs(settings, tmp_path)
    with pytest.raises(SettingsError, match="is off"):
        signing_terms(settings)


def test_where_it_is_switched_on_it_starts_before_the_engine(tmp_path: Path) -> None:
    names = _specs(Settings(signer=SignerSettings(signs="sandbox")), tmp_path)
    assert names.index("ledger") < names.index("signer") < names.index("engine")


def test_on_live_markets_nothing_is_signed_for_the_sandbox() -> None:
    settings = Settings(
        markets=MarketsSettings(source="live"), signer=SignerSettings(signs="sandbox")
    )
    with pytest.raises(SettingsError, match="could be sent to real ones"):
        signing_terms(settings)


def test_its_environment_is_its_settings_and_what_python_needs() -> None:
    foreign = {"AWS_SECRET": "x", "TELEGRAM_BOT_TOKEN": "123:abc", "PATH": "/bin", "PS1": "$"}
    settings = Settings(signer=SignerSettings(signs="sandbox"))
    own = role_environment(settings, "signer", foreign)
    assert own["PATH"] == "/bin"
    others = {name for name in own if not name.startswith(("SYNDICATE_", "MARKETS"))}
    assert others <= PASSED_TO_SIGNER
    assert "AWS_SECRET" not in own


def test_a_role_that_holds_no_lease_is_no_signer(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    with held_lease(paths.lease("signer"), what="signer") as lease:
        journal = Journal(paths.signer / "journal.sqlite3")
        leave = Leave(paths, lease, Words(key=None, journal=journal))
        assert leave(make_protective(Purpose.PAUSE)) is None
        paths.lease("signer").unlink()
        with pytest.raises(SupersededError):
            leave(make_protective(Purpose.PAUSE))
        journal.close()


def test_a_keystore_is_read_once_and_never_again(tmp_path: Path, keystore: bytes) -> None:
    paths = prepare(str(tmp_path / "var"))
    write_secret_file(paths.signer / "key.json", keystore, what="keystore")
    place = key_place(Settings(signer=SignerSettings(signs="sandbox")), paths)
    (paths.signer / "key.json").unlink()
    assert place.address == Account.from_key(SECRET).address.lower()
    assert list(place.readable) == []

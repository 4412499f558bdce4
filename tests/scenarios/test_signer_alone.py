"""A whole installation signs: the key is in the signer's memory, and nowhere else at all."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.bus.signing import SignRequest, WalletsReport
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.domain.permits import Permit, PermitKind
from engine.domain.signing import RefusalKind, Signed
from engine.operate.mode_word import ModeWord
from engine.requests.approvals import GetMandates
from engine.requests.wallets import GetWallets
from engine.signing.keystore import seal_key
from engine.signing.secret_files import write_secret_file
from engine.wiring.paths import Paths
from engine.wiring.word_key import WORD_KEY_ENVIRONMENT_NAME
from tests.patience import PATIENCE_S, insist
from tests.scenarios.rig import CALM, Installation, running_installation
from tests.signing.intents import CODE_HASH, CONTRACT, make_intent, make_plan, make_route
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

SECRET = bytes.fromhex("8f2a559490d3c1b6aa4be2fd9b0f3c9bd2d0f3b2d8c5ae63a9a65c0b6bd4a1e7")
PASSWORD = "zephyr quilt mahogany 41"
FORMS = (
    SECRET,
    SECRET[::-1],
    SECRET.hex().encode(),
    SECRET.hex().upper().encode(),
    str(int.from_bytes(SECRET)).encode(),
)
"""As bytes, as libraries turn them, and as anybody would print it."""

PIECE = 1 << 22


def held(process: psutil.Process, sought: Iterable[bytes]) -> set[bytes]:
    """Search all of a process's memory that can be read, and return what was found of `sought`.

    A task of the workers may end while others are searched: it holds nothing then.
    """
    missing, found = set(sought), set[bytes]()
    longest = max(map(len, missing))
    with (
        contextlib.suppress(FileNotFoundError, ProcessLookupError),
        Path(f"/proc/{process.pid}/mem").open("rb", buffering=0) as memory,
    ):
        for start, end in _mapped(process.pid):
            before = b""
            at = start
            while at < end:
                try:
                    memory.seek(at)
                    piece = memory.read(min(PIECE, end - at))
                except (OSError, ValueError):
                    break  # of a device, or gone meanwhile
                if not piece:
                    break
                seen = before + piece
                # Several times as fast as one pattern of all of them.
                found |= (here := {one for one in missing if one in seen})
                missing -= here
                before, at = piece[-longest:], at + len(piece)
    return found


def _mapped(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        if rights.startswith("r") and not line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
            start, end = (int(one, 16) for one in span.split("-"))
            yield start, end


async def asked(paths: Paths, request: Any) -> Any:
    caller = SocketCaller(paths.socket("signer"), role="signer")
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await caller.call(request)
            except TransientError:
                await asyncio.sleep(0.05)
            finally:
                await caller.aclose()


def plan_to_sign(nonce: int, mandate_id: str = "m1") -> SignRequest:
    now_ns = time.time_ns()
    plan = make_plan(
        nonce,
        deadline_ns=now_ns + 60 * 10**9,
        permit=Permit(kind=PermitKind.MANDATE, id=mandate_id),
    )
    route = make_route(deadline_ts=now_ns // 10**9 + 60)
    return SignRequest(intent=make_intent(plan, route, nonce=nonce))


async def test_the_key_is_in_no_other_roles_memory_and_in_no_file(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    key, password = tmp_path / "key.json", tmp_path / "password"
    write_secret_file(key, seal_key(SECRET, PASSWORD.encode(), use="sandbox"), what="keystore")
    write_secret_file(password, PASSWORD.encode(), what="password file")
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir,
            phone,
            speed=CALM,
            SYNDICATE_WORKERS_IS_ON="true",
            SYNDICATE_SIGNER_SIGNS="sandbox",
            SYNDICATE_SIGNER_KEYSTORE=str(key),
            SYNDICATE_SIGNER_PASSWORD_FILE=str(password),
            SYNDICATE_SIGNER_CONTRACTS=f"base:{CONTRACT}={CODE_HASH}",
            SYNDICATE_SIGNER_GAS_DAY="base=0.5",
        ) as installation,
    ):
        paths = Paths(data_dir)
        report = await asked(paths, GetWallets())
        assert isinstance(report, WalletsReport)
        assert not report.is_locked
        await installation.until_live()
        assert await insist(installation.facade, GetWallets()) == report
        await _follows_the_mode(installation, paths)
        roles = _processes(installation)
        assert {"engine", "ledger", "bot", "sandbox", "workers", "signer"} <= set(roles)
        mark = str(data_dir).encode()
        word_key = _word_key(roles["signer"][0])
        sought = (*FORMS, mark, word_key, PASSWORD.encode())
        holds = {
            name: set().union(*(held(one, sought) for one in some)) for name, some in roles.items()
        }
    assert {name for name, some in holds.items() if some & set(FORMS)} == {"signer"}
    searched = {name for name, some in holds.items() if mark in some}
    assert searched >= {"engine", "ledger", "bot", "workers", "signer", "supervisor"}
    assert {name for name, some in holds.items() if PASSWORD.encode() in some} <= {"signer"}
    knows = {name for name, some in holds.items() if word_key in some}
    assert knows & {"engine", "sender", "ledger", "bot", "signer"} == {"bot", "signer"}, (
        "the key by which the chat vouches for persons"
    )
    written = [one for one in (*data_dir.rglob("*"), tmp_path / "var.log") if one.is_file()]
    assert len(written) > 10
    for path in written:
        content = path.read_bytes()
        for form in (*FORMS, PASSWORD.encode(), word_key, word_key.hex().encode()):
            assert form not in content, path


async def _follows_the_mode(installation: Installation, paths: Paths) -> None:
    """Have plans signed as the operator's mode allows it, told by the engine's own word."""
    assert (await asked(paths, plan_to_sign(1))).kind is RefusalKind.MODE
    await installation.go_to_paper()
    assert (await asked(paths, plan_to_sign(1))).kind is RefusalKind.MODE
    await installation.go_up_to("approve")
    assert ModeWord(paths.engines / "main").read() is Mode.APPROVE
    made_up = await asked(paths, plan_to_sign(1))
    assert made_up.kind is RefusalKind.PERMIT
    assert "no person granted it" in made_up.detail

    await installation.say("/mandate any 50000 10m", "Grant")
    installation.phone.person_taps("Grant it")
    async with asyncio.timeout(PATIENCE_S):
        while not (opened := (await insist(installation.facade, GetMandates())).open):
            await asyncio.sleep(0.05)
    (name,) = [one.mandate.mandate_id for one in opened]
    for nonce in range(20):
        assert isinstance(await asked(paths, plan_to_sign(nonce, name)), Signed)
    spent = await asked(paths, plan_to_sign(20, name))  # which the engine knows nothing of
    assert "above the 0.00 USD that are left" in spent.detail
    await installation.say("/kill", "illed")
    assert (await asked(paths, plan_to_sign(30, name))).kind is RefusalKind.KILLED


def _word_key(signer: psutil.Process) -> bytes:
    """Return the key that signer and chat share, as this run made it."""
    environment = Path(f"/proc/{signer.pid}/environ").read_bytes().split(b"\0")
    name = WORD_KEY_ENVIRONMENT_NAME.encode() + b"="
    (found,) = (one.removeprefix(name) for one in environment if one.startswith(name))
    return bytes.fromhex(found.decode())


def _processes(installation: Installation) -> dict[str, list[psutil.Process]]:
    supervisor = psutil.Process(installation.process.pid)
    found = {"supervisor": [supervisor]}
    for child in supervisor.children():
        words = child.cmdline()
        name = "bot" if words[-1] == "bot" else words[-1]
        found[name] = [child, *child.children(recursive=True)]
    return found

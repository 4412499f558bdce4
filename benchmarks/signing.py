"""Transactions signed through the role `signer`, a process of its own, from the asker's side.

`python -m benchmarks.signing`. Each request carries another plan and nonce; the reply is a signed
transaction that is on disk. Beside it in the same run: the bare signature of the same digest by
libsecp256k1 and by eth-account, and the bare question and answer by which the role is asked.
"""

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from eth_account import Account

from benchmarks.harness import Row, machine, print_table, row, time_calls
from engine.bus.signing import HearWord, Rehearse, SignRequest
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.domain.signing import Signed
from engine.operate.mode_word import ModeWord
from engine.requests.wallets import GetWallets
from engine.signing.curve import LocalKey
from engine.signing.keystore import seal_key
from engine.signing.secret_files import write_secret_file
from engine.signing.transactions import Unsigned
from engine.wiring.paths import prepare, prepare_engine
from engine.wiring.word_key import WORD_KEY_ENVIRONMENT_NAME
from tests.signing.intents import CODE_HASH, CONTRACT, make_intent, make_plan, make_route
from tests.signing.others import as_others_write
from tests.signing.saying import WORD_KEY, went_live

Durations = np.ndarray[Any, Any]
SECRET = b"\x07" * 32
PASSWORD = b"correct horse battery"
REQUESTS = 3_000
WARM_UP = 500
APART = 400
APART_S = 0.02
SIMULATED_S = 0.001
"""A plan is simulated and its nonce kept in about so long, before it is signed."""
READY_S = 60.0


def measure_all() -> list[Row]:
    """Measure signing through the process, and its peers."""
    with tempfile.TemporaryDirectory(prefix="syn") as folder:
        through, asked, apart, rehearsed = uvloop.run(_measure(Path(folder)))
    transaction = make_intent().transaction
    digest = Unsigned(transaction).digest()
    key = LocalKey(SECRET)
    fields = as_others_write(transaction)
    bare = row("signer.bare_signature", _calls(lambda: key.sign(digest)))
    eth_account = row(
        "signer.eth_account", _calls(lambda: Account.sign_transaction(fields, SECRET))
    )
    signed = row("signer.signed", through)
    return [
        replace(signed, peer="eth-account alone", ratio=eth_account.median / signed.median),
        row("signer.asked", asked),
        row("signer.signed.20 ms apart", apart),
        row("signer.signed.20 ms apart, rehearsed", rehearsed),
        bare,
        eth_account,
    ]


def _calls(call: Callable[[], object]) -> Durations:
    return time_calls([call] * REQUESTS)[WARM_UP:]


async def _measure(folder: Path) -> tuple[Durations, Durations, Durations, Durations]:
    async with signer_role(folder) as caller:
        requests = [_request(nonce) for nonce in range(REQUESTS)]
        signed, asked = [], []
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            for request in requests:
                started = time.perf_counter_ns()
                reply = await caller.call(request)
                signed.append(time.perf_counter_ns() - started)
                assert isinstance(reply, Signed), reply
            for _ in range(REQUESTS):
                started = time.perf_counter_ns()
                await caller.call(GetWallets())
                asked.append(time.perf_counter_ns() - started)
            apart = await _apart(caller, range(REQUESTS, REQUESTS + APART), is_rehearsed=False)
            nonces = range(REQUESTS + APART, REQUESTS + 2 * APART)
            rehearsed = await _apart(caller, nonces, is_rehearsed=True)
        finally:
            gc.enable()
            gc.unfreeze()
    return np.array(signed[WARM_UP:]), np.array(asked[WARM_UP:]), apart, rehearsed


async def _apart(caller: SocketCaller, nonces: range, *, is_rehearsed: bool) -> Durations:
    """Measure signatures as they come, one now and then, rehearsed as whoever sends does or not."""
    signed = []
    for nonce in nonces:
        request = _request(nonce)
        await asyncio.sleep(APART_S)
        if is_rehearsed:
            rehearsal = asyncio.create_task(caller.call(Rehearse(intent=request.intent)))
            await asyncio.sleep(SIMULATED_S)
            await rehearsal
        started = time.perf_counter_ns()
        reply = await caller.call(request)
        signed.append(time.perf_counter_ns() - started)
        assert isinstance(reply, Signed), reply
    return np.array(signed)


def _request(nonce: int) -> SignRequest:
    now_ns = time.time_ns()
    plan = make_plan(
        nonce,
        deadline_ns=now_ns + 600 * 10**9,
        notional_usd=Decimal("2.5"),
        usd_per_quote=Decimal("2.5"),
    )
    route = make_route(deadline_ts=now_ns // 10**9 + 600)
    return SignRequest(intent=make_intent(plan, route, nonce=nonce))


def signing_environment(folder: Path, contract: str, code_hash: str) -> dict[str, str]:
    """Return the settings of an installation below a folder that signs for this contract."""
    return os.environ | {
        "SYNDICATE_DATA_DIR": str(folder / "var"),
        "SYNDICATE_SIGNER_SIGNS": "sandbox",
        "SYNDICATE_SIGNER_CONTRACTS": f"base:{contract}={code_hash}",
        "SYNDICATE_SIGNER_GAS_DAY": "base=1000",
        "SYNDICATE_SIGNER_NOTIONAL_DAY_USD": "1000000",
        "SYNDICATE_LOG_LEVEL": "warning",
    }


@contextlib.asynccontextmanager
async def signer_role(
    folder: Path, *, secret: bytes = SECRET, contract: str = CONTRACT, code_hash: str = CODE_HASH
) -> AsyncIterator[SocketCaller]:
    """Run the role with this key, for this contract on Base, in mode `live`."""
    paths = prepare(str(folder / "var"))
    prepare_engine(paths)
    ModeWord(paths.engines / "main").write(Mode.LIVE)
    key, password = paths.signer / "key.json", folder / "password"
    write_secret_file(key, seal_key(secret, PASSWORD, use="sandbox"), what="keystore")
    write_secret_file(password, PASSWORD, what="password file")
    environment = signing_environment(folder, contract, code_hash) | {
        "SYNDICATE_SIGNER_PASSWORD_FILE": str(password),
        WORD_KEY_ENVIRONMENT_NAME: WORD_KEY.hex(),
    }
    process = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, "-m", "engine", "role", "signer"], env=environment
    )
    caller = SocketCaller(paths.socket("signer"), role="signer")
    try:
        async with asyncio.timeout(READY_S):
            while True:
                try:
                    await caller.call(GetWallets())
                    break
                except TransientError:
                    await asyncio.sleep(0.05)
        await caller.call(HearWord(word=went_live(at_ns=time.time_ns())))
        yield caller
    finally:
        await caller.aclose()
        process.terminate()
        await asyncio.to_thread(process.wait)


if __name__ == "__main__":
    print(machine())
    print_table(measure_all())

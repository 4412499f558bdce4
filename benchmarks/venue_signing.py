"""Orders for exchanges signed through the role `signer`, from the asker's side.

`python -m benchmarks.venue_signing`. Each is of another plan: looked at, counted, kept on disk
under its id for ever, signed, back. They come as fast as venues take orders, from all five in
turns, so that nothing is warm that would not be in earnest; what only asks comes one after the
other. Beside it in the same run: the bare signatures of the same calls.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import uvloop

from benchmarks.harness import Row, machine, print_table, row, time_calls
from engine.bus.signing import HearWord
from engine.bus.unix_socket import SocketCaller
from engine.bus.venue_signing import SignCalls
from engine.domain.errors import TransientError
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.gateways.asks import BalancesAsk
from engine.gateways.gateway_list import gateway_of
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.operate.mode_word import ModeWord
from engine.requests.wallets import GetWallets
from engine.sandbox.exchange.keys import key_of
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of
from engine.wiring.paths import prepare, prepare_engine
from engine.wiring.word_key import WORD_KEY_ENVIRONMENT_NAME
from tests.signing.saying import WORD_KEY, went_live
from tests.signing.venue_intents import NOW_MS, VENUES, make_place, make_plan

Durations = np.ndarray[Any, Any]

ORDERS: Final = 300
ASKED: Final = 300
BARE: Final = 2_000
WARM_UP: Final = 10
PAUSE_S: Final = 0.05
READY_S: Final = 60.0


def measure_all() -> list[Row]:
    """Measure placing and asking through the process, and the bare signatures."""
    with tempfile.TemporaryDirectory(prefix="syn") as folder:
        placed, asked = uvloop.run(_measure(Path(folder)))
    bare = [row(f"venue_signer.bare_{venue}", _bare(venue)) for venue in ("binance", "coinbase")]
    return [
        row("venue_signer.placed", placed),
        row("venue_signer.asked", asked),
        *bare,
    ]


def _bare(venue: str) -> Durations:
    auth = authentication_of(venue, VenueKey(name="a-key", secret=key_of(venue).secret))
    other = "kraken" if venue != "kraken" else "binance"
    request = make_place(make_plan(venues=(venue, other))).ask.request  # type: ignore[union-attr]
    call = gateway_of(venue).place(request)
    return time_calls([lambda: auth.sign(call, now_ms=NOW_MS, nonce=1)] * BARE)[WARM_UP:]


async def _measure(folder: Path) -> tuple[Durations, Durations]:
    async with trading_signer(folder) as caller:
        placed: list[int] = []
        number = 0
        while len(placed) < ORDERS:
            request = _place(number)
            started = time.perf_counter_ns()
            reply = await caller.call(request)
            took = time.perf_counter_ns() - started
            if isinstance(reply, SignRefusal):
                assert reply.kind is RefusalKind.RATE, reply
                await asyncio.sleep(PAUSE_S)
            else:
                placed.append(took)
            number += 1
        asked = []
        for count in range(ASKED):
            venue = VenueId(VENUES[count % len(VENUES)])
            intent = VenueIntent(venue=venue, ask=BalancesAsk())
            started = time.perf_counter_ns()
            reply = await caller.call(SignCalls(intent=intent))
            asked.append(time.perf_counter_ns() - started)
            assert isinstance(reply, VenueSigned), reply
    return np.array(placed[WARM_UP:]), np.array(asked[WARM_UP:])


def _place(number: int) -> SignCalls:
    now_ns = time.time_ns()
    venue = VENUES[number % len(VENUES)]
    other = "kraken" if venue != "kraken" else "binance"
    plan = msgspec.structs.replace(
        make_plan(number, venues=(venue, other)),
        decided_at_ns=now_ns,
        deadline_ns=now_ns + 60 * NS_PER_S,
    )
    return SignCalls(intent=make_place(plan, now_ms=now_ns // NS_PER_MS))


@contextlib.asynccontextmanager
async def trading_signer(folder: Path) -> AsyncIterator[SocketCaller]:
    """Run the role for the sandbox's exchanges, in mode `live`."""
    paths = prepare(str(folder / "var"))
    prepare_engine(paths)
    ModeWord(paths.engines / "main").write(Mode.LIVE)
    environment = os.environ | {
        "SYNDICATE_DATA_DIR": str(paths.data_dir),
        "SYNDICATE_EXCHANGES_TRADES": "sandbox",
        "SYNDICATE_EXCHANGES_VENUES": ",".join(VENUES),
        "SYNDICATE_EXCHANGES_EXPOSURE_USD": ",".join(f"{one}=60000" for one in VENUES),
        "SYNDICATE_EXCHANGES_NOTIONAL_DAY_USD": "1000000000",
        "SYNDICATE_EXCHANGES_ORDERS_DAY": "1000000",
        "SYNDICATE_LOG_LEVEL": "error",
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
                    await asyncio.sleep(PAUSE_S)
        await caller.call(HearWord(word=went_live(at_ns=time.time_ns())))
        yield caller
    finally:
        await caller.aclose()
        process.terminate()
        await asyncio.to_thread(process.wait)


if __name__ == "__main__":
    print(machine())
    print_table(measure_all())

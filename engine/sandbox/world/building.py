"""Builds a world once and keeps it in a file, from which a node begins in milliseconds."""

import contextlib
import fcntl
import gzip
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.tokens import CURATED
from engine.sandbox.world.aave import make_aave
from engine.sandbox.world.anvil import Anvil, running_anvil, start_anvil
from engine.sandbox.world.dexes.balancer import make_balancer
from engine.sandbox.world.dexes.uniswap_v2 import make_v2
from engine.sandbox.world.dexes.uniswap_v3 import make_v3
from engine.sandbox.world.dexes.uniswap_v4 import make_v4, permit_all
from engine.sandbox.world.hands import Hands, TransactionFailedError
from engine.sandbox.world.packages import LOCK, NoWorldError
from engine.sandbox.world.plan import CHAIN_PLANS, ChainPlan
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.sandbox.world.site import Site, approve_all
from engine.sandbox.world.strangers import CODES, list_strangers
from engine.sandbox.world.values import Made, World

NODE_OPTIONS: Final = ("--hardfork", "prague", "--gas-limit", "36000000")
BUILD_OPTIONS: Final = ("--hardfork", "prague", "--gas-limit", "2000000000", "--no-mining")
TOKENS_USD: Final = Decimal(10) ** 12
"""Worth of each token that the first account mints to itself."""

WRAPPED_USD: Final = Decimal(10) ** 9
KEPT_S: Final = 30 * 86_400
"""A world that nobody asked for so long is removed when another one is built."""

TRADER_USD: Final = Decimal(10) ** 8
MAKERS: Final = (make_v2, make_v3, make_v4, make_balancer, make_aave)
COINS_RAW: Final = 10**11 * 10**18
"""Coins of each account."""


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A world that was built.

    Attributes:
        state: file for a node to begin with.
    """

    plan: ChainPlan
    made: Made
    state: Path


def world_cache() -> Path:
    """Return where built worlds are kept: the user's cache, as they belong to no data folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "syndicate" / "worlds"


def built(chain: str, *, cache: Path | None = None, has_strangers: bool = False) -> Built:
    """Return the world of a chain; it is built if it is not there yet, by one process alone.

    Args:
        chain: which one it poses as.
        cache: where it is kept.
        has_strangers: with tokens that nobody should buy.

    Raises:
        NoWorldError: there is no such chain, or node or contracts are missing.
    """
    plan = CHAIN_PLANS.get(chain)
    if plan is None:
        raise NoWorldError(f"{chain[:20]} is no chain of the sandbox: {', '.join(CHAIN_PLANS)}.")
    plan = replace(plan, has_strangers=has_strangers)
    folder = (cache or world_cache()) / _key(plan)
    try:
        return _kept(plan, folder)
    except OSError as error:
        raise NoWorldError(f"There is no local chain: it cannot be kept ({error}).") from error
    except (NodeSaidNoError, TransactionFailedError) as error:
        raise NoWorldError(f"There is no local chain: it cannot be built ({error}).") from error


def _kept(plan: ChainPlan, folder: Path) -> Built:
    state, made = folder / "state.json", folder / "made.json"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            content, made_now = _build(plan)
            _write(state, content)
            _write(made, msgspec.json.encode(made_now))  # the last one: it says that all is there
            _forget_old(folder.parent)
        os.utime(made)
    return Built(plan=plan, made=msgspec.json.decode(made.read_bytes(), type=Made), state=state)


def start_world(one: Built, *, options: tuple[str, ...] = ()) -> tuple[Anvil, World]:
    """Start a node with a world of its own.

    Raises:
        NoWorldError: it does not start.
    """
    node = start_anvil(
        chain_id=one.plan.chain_id, state=one.state, options=(*NODE_OPTIONS, *options)
    )
    return node, World(
        chain=one.plan.chain,
        chain_id=one.plan.chain_id,
        http_url=node.url,
        ws_url=node.ws_url,
        made=one.made,
    )


@contextmanager
def running_world(chain: str, *, options: tuple[str, ...] = ()) -> Iterator[tuple[Anvil, World]]:
    """Run a world of a chain for as long as the context lasts."""
    node, world = start_world(built(chain), options=options)
    try:
        yield node, world
    finally:
        node.stop()


def _build(plan: ChainPlan) -> tuple[bytes, Made]:
    with running_anvil(chain_id=plan.chain_id, options=BUILD_OPTIONS) as node, Rpc(node.url) as rpc:
        accounts = tuple(str(one).lower() for one in rpc.ask("eth_accounts"))
        for one in accounts:
            rpc.ask("anvil_setBalance", one, hex(COINS_RAW))
        made = _furnish(Hands(rpc, accounts[0], is_miner=True), plan, accounts)
        return gzip.decompress(bytes.fromhex(rpc.ask("anvil_dumpState")[2:])), made


def _furnish(hands: Hands, plan: ChainPlan, accounts: tuple[str, ...]) -> Made:
    site = Site(hands, plan)
    site.wrap(hands, WRAPPED_USD)
    site.give(hands.me, TOKENS_USD)
    for make in MAKERS:
        make(site)
    for trader in accounts[1:]:
        site.give(trader, TRADER_USD)
    hands.flush()
    if plan.has_strangers:
        list_strangers(site)
    for trader in accounts[1:]:
        own = Hands(hands.rpc, trader, is_miner=True)
        site.wrap(own, TRADER_USD)
        approve_all(own, site.tokens, site.spenders)
        permit_all(own, site.tokens, [site.contracts["universal_router"]])
        own.flush()
    return site.made(accounts)


def _key(plan: ChainPlan) -> str:
    """Name what a world is made of: packages, these sources, the known tokens, and the plan."""
    content = hashlib.sha256(LOCK.read_bytes())
    sources = Path(__file__).parent
    for path in sorted([*sources.rglob("*.py"), CODES]):
        content.update(path.read_bytes())
    content.update(repr((plan, CURATED.get(plan.chain))).encode())
    return f"{plan.chain}-{content.hexdigest()[:16]}"


def _forget_old(cache: Path) -> None:
    """Remove worlds that nobody has asked for in a long time."""
    before = time.time() - KEPT_S
    for made in cache.glob("*/made.json"):
        with contextlib.suppress(OSError):
            if made.stat().st_mtime < before:
                shutil.rmtree(made.parent)


def _write(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
        draft.write(content)
    Path(draft.name).replace(path)

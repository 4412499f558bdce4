"""Builds a world once and keeps it in a file, from which a node begins in milliseconds."""

import fcntl
import gzip
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from engine.sandbox.world.anvil import Anvil, running_anvil, start_anvil
from engine.sandbox.world.deploy import (
    approve_all,
    deploy_multicall,
    deploy_tokens,
    deploy_v2,
    deploy_v3,
)
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.packages import LOCK, NoWorldError
from engine.sandbox.world.plan import CHAIN_PLANS, ChainPlan
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.seeding import PAIRS_V2, PAIRS_V3, TOKENS_USD, WRAPPED_USD, Seeder
from engine.sandbox.world.values import Made, World

NODE_OPTIONS: Final = ("--hardfork", "prague", "--gas-limit", "36000000")
BUILD_OPTIONS: Final = ("--hardfork", "prague", "--gas-limit", "2000000000", "--no-mining")
TRADER_USD: Final = Decimal(10) ** 8
COINS_RAW: Final = 10**9 * 10**18
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


def built(chain: str, *, cache: Path | None = None) -> Built:
    """Return the world of a chain; it is built if it is not there yet, by one process alone.

    Raises:
        NoWorldError: there is no such chain, or node or contracts are missing.
    """
    plan = CHAIN_PLANS.get(chain)
    if plan is None:
        raise NoWorldError(f"{chain[:20]} is no chain of the sandbox: {', '.join(CHAIN_PLANS)}.")
    folder = (cache or world_cache()) / _key(plan)
    state, made = folder / "state.json", folder / "made.json"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            content, made_now = _build(plan)
            _write(state, content)
            _write(made, msgspec.json.encode(made_now))  # the last one: it says that all is there
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
    contracts = {"multicall3": deploy_multicall(hands)}
    tokens = deploy_tokens(hands, plan)
    seeder = Seeder(hands, plan, tokens)
    coin = seeder.token("wrapped")
    wrapped = coin.address
    hands.send(wrapped, "deposit()", value=seeder.worth_raw(coin, WRAPPED_USD))
    v2, v2_contracts = deploy_v2(hands, plan.chain, wrapped)
    v3, v3_contracts = deploy_v3(hands, plan.chain, wrapped)
    contracts |= {"wrapped": wrapped, **v2_contracts, **v3_contracts}
    spenders = [contracts[one] for one in ("v2_router", "v3_router", "v3_positions")]
    approve_all(hands, tokens, spenders)
    seeder.give(hands.me, TOKENS_USD)
    for pair in PAIRS_V2:
        seeder.pair(v2, contracts["v2_router"], pair)
    for pair, fee_pips in PAIRS_V3:
        seeder.concentrated(v3, contracts["v3_positions"], pair, fee_pips)
    for trader in accounts[1:]:
        seeder.give(trader, TRADER_USD)
    hands.flush()
    for trader in accounts[1:]:
        own = Hands(hands.rpc, trader, is_miner=True)
        own.send(wrapped, "deposit()", value=seeder.worth_raw(coin, WRAPPED_USD / 10))
        approve_all(own, tokens, spenders)
        own.flush()
    return Made(
        tokens=tokens,
        dexes=(v2, v3),
        pools=tuple(seeder.pools),
        contracts=contracts,
        accounts=accounts,
    )


def _key(plan: ChainPlan) -> str:
    """Name what a world is made of: the packages, these sources, and the plan."""
    content = hashlib.sha256(LOCK.read_bytes())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        content.update(path.read_bytes())
    content.update(repr(plan).encode())
    return f"{plan.chain}-{content.hexdigest()[:16]}"


def _write(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
        draft.write(content)
    Path(draft.name).replace(path)

"""A real node with real contracts, for every test of chains.

``world``: a started `LocalWorld` posing as Ethereum, one per test module, its own node (anvil) on a
free port. It begins from a saved state in 0.1 s; the first one on a machine is built in a second.
``new_world``: starts one more, of any chain: ``new_world("base")``; it ends with the test.

What it knows: ``world.made`` (tokens, dexes as `Dex` rows, pools, contracts, accounts),
``world.world.http_url`` and ``ws_url``, ``world.rpc.ask(method, *params)``.
What it does: ``swap``, ``add``, ``take``, ``transfer``, ``mine``, ``automine(False)`` (transactions
stay pending until `mine`), ``reorg(depth)``, ``snapshot``, ``revert``; ``world.trader(n)`` queues
many for one ``hands.flush()``; ``world.hands(n)`` sends and reads anything by its signature:
``hands.read(address, "balanceOf(address)", ("uint256",), who)``.
``world.node.kill()`` is a crash. Each transaction is a block of its own unless automine is off.

Node and contracts are npm packages in contracts/node_modules (``make contracts``; a worktree may
link to another's). Without Node they can't be had: then these tests are left out, saying so.
"""

from collections.abc import Callable, Iterator

import pytest

from engine.sandbox.world.building import built, start_world
from engine.sandbox.world.packages import NoWorldError, anvil_path, cannot_be_had
from tests.chains.local_world import LocalWorld


def need_packages() -> None:
    """Leave a test out, saying so, where node and contracts could not be had."""
    try:
        anvil_path()
    except NoWorldError as error:
        if not cannot_be_had():
            raise
        pytest.skip(str(error))


def start_local(chain: str = "ethereum", *options: str) -> LocalWorld:
    """Start a world; the options are anvil's."""
    need_packages()
    return LocalWorld(*start_world(built(chain), options=options))


@pytest.fixture(scope="module")
def world() -> Iterator[LocalWorld]:
    local = start_local()
    yield local
    local.close()


@pytest.fixture
def new_world() -> Iterator[Callable[..., LocalWorld]]:
    started: list[LocalWorld] = []

    def start(chain: str = "ethereum", *options: str) -> LocalWorld:
        started.append(start_local(chain, *options))
        return started[-1]

    yield start
    for one in started:
        one.close()

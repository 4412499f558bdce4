"""Which chains a run follows, and at which nodes: those of the settings, or of the sandbox."""

from dataclasses import dataclass, replace
from pathlib import Path

from engine.chains.discovery.dex_list import dexes_of
from engine.chains.following.serving import PATH_PREFIX
from engine.chains.pending.router_list import DEPLOYED, RouterAt, named_routers
from engine.chains.rpc.addresses import Access
from engine.domain.chains import CHAINS, NETWORKS, ChainFacts
from engine.domain.dexes import Dex
from engine.sandbox.world.values import LocalChain
from engine.sending.policies import policy_of
from engine.settings.schema import Settings
from engine.wiring.followed_chains import followed_names, key_file
from engine.wiring.local_chains import local_chains
from engine.wiring.markets import ChainSource, made_up_chains, read_announcement
from engine.wiring.paths import Paths


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainNodes:
    """A chain and its nodes.

    Attributes:
        dexes: whose pools are followed.
        routers: whose calls are decoded while they wait for a block.
        is_local: it is the sandbox's.
        has_relay: and has a relay.
    """

    facts: ChainFacts
    accesses: tuple[Access, ...]
    dexes: tuple[Dex, ...]
    routers: tuple[RouterAt, ...] = DEPLOYED
    is_local: bool = False
    has_relay: bool = False


def nodes_of(settings: Settings, paths: Paths) -> dict[str, ChainNodes]:
    """Return the chains of a run by name.

    Raises:
        SettingsError: the nodes' addresses cannot be used.
        TransientError: the sandbox has not announced itself.
    """
    if settings.markets.source == "sandbox":
        local = read_announcement(paths).local_chains
        return {name: _local(name, one) for name, one in local.items() if name in CHAINS}
    return {
        name: ChainNodes(facts=NETWORKS[name], accesses=accesses, dexes=dexes_of(name))
        for name, accesses in key_file(settings).providers.items()
    }


def _local(name: str, local: LocalChain) -> ChainNodes:
    both = zip(local.http_urls, local.ws_urls, strict=True)
    return ChainNodes(
        facts=replace(CHAINS[name], chain_id=local.chain_id, block_ms=local.block_ms),
        accesses=tuple(
            Access(name=f"local {number}", host="127.0.0.1", http_url=http_url, socket_url=ws_url)
            for number, (http_url, ws_url) in enumerate(both, 1)
        ),
        dexes=local.dexes,
        routers=tuple(named_routers(name, local.contracts, local.dexes)),
        is_local=True,
        has_relay=bool(local.relay_url),
    )


def follows_chains(settings: Settings) -> bool:
    """Say whether a run has chains with nodes."""
    if settings.markets.source == "sandbox":
        return bool(local_chains(settings))
    return settings.chains.providers is not None


def hears_of_chains(settings: Settings) -> bool:
    """Say the same in a role from which their nodes are withheld."""
    if settings.markets.source == "sandbox":
        return bool(local_chains(settings))
    return bool(followed_names(settings))


def blocks_socket(settings: Settings, paths: Paths, chain: str) -> Path:
    """Return where the blocks of a chain are served."""
    is_one = settings.chains.processes == "one"
    return paths.blocks_socket if is_one else paths.socket(f"blocks-{chain}")


def chains_of(settings: Settings, paths: Paths) -> dict[str, ChainSource]:
    """Return where the blocks of a run's chains come from.

    Raises:
        SettingsError: the nodes' addresses cannot be used.
        TransientError: the sandbox has not announced itself.
    """
    if settings.markets.source == "sandbox":
        nodes = nodes_of(settings, paths)
        facts = {name: one.facts for name, one in nodes.items()}
        policies = {
            name: policy_of(name, is_local=True, has_relay=one.has_relay)
            for name, one in nodes.items()
        }
    else:
        facts = {name: NETWORKS[name] for name in followed_names(settings)}
        policies = {name: policy_of(name, is_local=False) for name in facts}
    return made_up_chains(settings, paths) | {
        name: ChainSource(
            url=f"ws://{name}{PATH_PREFIX}{name}",
            block_ms=own.block_ms,
            socket_path=str(blocks_socket(settings, paths, name)),
            tells_gas=True,
            bid_share_bps=policies[name].share_bps,
        )
        for name, own in facts.items()
    }

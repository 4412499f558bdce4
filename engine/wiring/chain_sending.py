"""One chain's sending: its nodes, its way out, its simulators and its desks, put together."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Final

from engine.bus.request import Caller
from engine.chains.gas.reader import GasReader
from engine.chains.rpc.opening import open_providers
from engine.connectors.outbound import Outbound
from engine.domain.pools import Protocol
from engine.operate.clock import Clock
from engine.sending.allowances import AllowanceLook
from engine.sending.beginnings import DeskTerms
from engine.sending.desk import ChainDesk
from engine.sending.footprints import Footprints
from engine.sending.paths import OpenWay, PrivateWay, Way
from engine.sending.relay import Relay
from engine.sending.relay_name import relay_name
from engine.sending.routes import RouteTerms
from engine.sending.showing import ContractLook
from engine.sending.simulating import Simulator
from engine.sending.trials import Trials
from engine.sending.truth_desk import TruthDesk
from engine.sending.truth_table import TruthTable
from engine.sending.view import ChainView
from engine.sending.warming import WarmSimulator
from engine.wiring.chain_nodes import ChainNodes
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths
from engine.wiring.sender_answers import SenderAnswers
from engine.wiring.sending_loop import begin_what_comes, hear_blocks, run_desk
from engine.wiring.sending_path import path_of
from engine.wiring.sending_warnings import SendingWarnings
from engine.wiring.signer_client import rehearsed_by, signed_by, wallet_known_to
from engine.wiring.truths import look_back

log = logging.getLogger(__name__)

LOOK_S_MIN: Final = 0.05


async def send_on_chain(
    nodes: ChainNodes,
    route: RouteTerms,
    signer: Caller,
    answers: SenderAnswers,
    *,
    code_hash: str,
    way: Outbound,
    clock: Clock,
    warnings: SendingWarnings,
    relay: Relay | None,
    truths: TruthTable,
) -> None:
    """Send a chain's transactions for ever."""
    wallet = await wallet_known_to(signer)
    facts = nodes.facts
    path = path_of(nodes, has_relay=relay is not None)
    async with open_providers(
        nodes.accesses,
        way,
        chain_id=facts.chain_id,
        block_ms=facts.block_ms,
        rates={},
        tell=_caught,
    ) as node:
        terms = DeskTerms(
            chain=facts.name,
            wallet=wallet,
            route=route,
            policy=path.policy,
            rule=path.rule,
            may_begin_anew=nodes.is_local,
        )

        def simulator() -> Simulator:
            return Simulator(
                path.url,
                path.rule.base_fee,
                chain_id=facts.chain_id,
                block_s=max(facts.block_ms // 1_000, 1),
                wallet=wallet,
            )

        simulate = WarmSimulator(simulator(), Footprints(node, wallet=wallet), is_followed=True)
        view = ChainView(node, wallet=wallet)
        answers.looks[facts.name] = ContractLook(
            node=node,
            table=answers.table,
            chain=facts.name,
            wallet=wallet,
            contract=route.contract,
            wanted_hash=code_hash,
            wrapped=facts.wrapped_native,
        )
        desk = ChainDesk(
            terms=terms,
            table=answers.table,
            view=view,
            way=_way_out(view, relay),
            ask=partial(signed_by, signer),
            simulate=simulate,
            warn=partial(warnings.tell, facts.name),
            now_ns=clock,
            told=answers.told,
        )
        desk.beginnings.rehearse = rehearsed_by(signer)
        answers.desks[facts.name] = desk
        answers.given[facts.name] = AllowanceLook(node=node, owners=(wallet, route.contract))
        behind = WarmSimulator(simulator(), Footprints(node, wallet=wallet))
        answers.tried[facts.name] = Trials(
            chain=facts.name,
            terms=route,
            table=answers.table,
            view=view,
            simulate=behind,
        )
        truth_desk = TruthDesk(
            chain=facts.name,
            terms=route,
            table=answers.table,
            truths=truths,
            view=view,
            simulate=behind,
        )
        gas = GasReader(path.facts, path.rule, node)
        look_s = max(facts.block_ms / 4_000, LOOK_S_MIN)
        async with asyncio.TaskGroup() as both:
            both.create_task(look_back(truth_desk))
            both.create_task(begin_what_comes(desk, answers))
            both.create_task(hear_blocks(node, desk, simulate, answers))
            await run_desk(desk, gas, simulate, answers, look_s=look_s)


def route_terms(paths: Paths, nodes: ChainNodes, contract: str) -> RouteTerms:
    """Return by which contracts routes of a chain are written.

    Raises:
        TransientError: the sandbox has not announced itself.
    """
    by_protocol = {one.protocol: one.factory for one in nodes.dexes}
    named: Mapping[str, str] = {}
    if nodes.is_local:
        named = read_announcement(paths).local_chains[nodes.facts.name].contracts
    return RouteTerms(
        chain_id=nodes.facts.chain_id,
        contract=contract,
        wrapped=nodes.facts.wrapped_native,
        v4_manager=by_protocol.get(Protocol.UNISWAP_V4, ""),
        vault=named.get("balancer_vault", ""),
        aave=named.get("aave_pool", ""),
    )


def relay_of(paths: Paths, chain: str, way: Outbound) -> Relay | None:
    """Return the relay of a local chain, None if it has none."""
    url = read_announcement(paths).local_chains[chain].relay_url
    return Relay(url, relay_name(paths.sender / "relay.key"), way.client_for(url)) if url else None


def _way_out(view: ChainView, relay: Relay | None) -> Way:
    return OpenWay(view) if relay is None else PrivateWay(relay, view)


def _caught(provider: str, why: str) -> None:
    log.warning("%s was caught: %s", provider, why)

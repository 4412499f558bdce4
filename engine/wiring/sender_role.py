"""The role `sender`: from plans that are handed over to transactions that end, for each chain.

It holds no key: what it sends is signed by the signer, which looks at it of its own accord. It runs
only where something may be signed.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Final

from engine.bus.lease import held_lease, keep
from engine.bus.request import Caller
from engine.bus.unix_socket import SocketCaller, open_server
from engine.connectors.outbound import open_outbound
from engine.operate.beside import running_beside
from engine.operate.clock import Clock, make_clock
from engine.operate.running_role import running_role
from engine.operate.short_slice import ask_for_short_slices
from engine.requests.request_list import requests_of
from engine.sending.nonces import NonceTable
from engine.sending.truth_table import TruthTable
from engine.settings.schema import Settings
from engine.wiring.bus import caller_to
from engine.wiring.chain_nodes import nodes_of
from engine.wiring.chain_sending import relay_of, route_terms, send_on_chain
from engine.wiring.contract_audit import audit_asked
from engine.wiring.paths import Paths
from engine.wiring.sender_answers import SenderAnswers
from engine.wiring.sending_path import sent_basis
from engine.wiring.sending_warnings import SendingWarnings
from engine.wiring.signer_client import why_not_vouched_by
from engine.wiring.signing_terms import signing_terms
from engine.wiring.truths import give_truths

log = logging.getLogger(__name__)

LEASE_LOOK_S: Final = 0.5


async def run_sender(settings: Settings, paths: Paths) -> None:
    """Send as a process of its own until told to stop.

    Raises:
        SettingsError: nothing may be signed here, or for a real chain.
        FatalError: the table of nonces cannot be used.
        TransientError: the sandbox has not announced itself.
    """
    terms = signing_terms(settings)
    signer = SocketCaller(paths.socket("signer"), role="signer")
    ledger = caller_to(paths, "ledger")
    async with running_role() as role:
        if refused := ask_for_short_slices():
            log.info("slices of processor time are the system's: %s", refused)
        warnings = SendingWarnings(ledger, basis=sent_basis(settings), clock=make_clock())
        try:
            with held_lease(paths.lease("sender"), what="sender") as lease:
                async with (
                    open_sender(
                        settings,
                        paths,
                        signer,
                        contracts=terms.contracts,
                        clock=make_clock(),
                        warnings=warnings,
                        ledger=ledger,
                    ) as answers,
                    open_server(
                        paths.socket("sender"),
                        requests_of("sender"),
                        answers,
                        on_fatal=role.on_fatal,
                    ),
                ):
                    await role.until_stopped(
                        keep(lease, every_s=LEASE_LOOK_S),
                        warnings.run(),
                        audit_asked(answers, ledger),
                    )
        finally:
            await signer.aclose()
            await ledger.aclose()


@contextlib.asynccontextmanager
async def open_sender(
    settings: Settings,
    paths: Paths,
    signer: Caller,
    *,
    contracts: Mapping[str, Mapping[str, str]],
    clock: Clock,
    warnings: SendingWarnings,
    ledger: Caller | None = None,
) -> AsyncIterator[SenderAnswers]:
    """Send what is handed over until the block ends.

    Args:
        settings: of the installation.
        paths: of the installation.
        signer: who signs.
        contracts: of ours, by chain and address; the first of a chain is called.
        clock: the wall clock.
        warnings: tells a person.
        ledger: who keeps the truths of trades.

    Raises:
        FatalError: a table cannot be used.
        TransientError: the sandbox has not announced itself, or another process sends.
    """
    nodes = nodes_of(settings, paths)
    table = NonceTable(paths.sender / "nonces.sqlite3")
    table.file.allocate()
    truths = TruthTable(paths.sender / "truths.sqlite3")
    answers = SenderAnswers(
        table, basis=sent_basis(settings), why_not_vouched=partial(why_not_vouched_by, signer)
    )
    proxy = None if settings.markets.source == "sandbox" else settings.network.proxy
    try:
        async with open_outbound(proxy) as way, running_beside() as run:
            for chain, ours in contracts.items():
                if chain not in nodes or not ours:
                    continue
                run(
                    send_on_chain(
                        nodes[chain],
                        route_terms(paths, nodes[chain], next(iter(ours))),
                        signer,
                        answers,
                        code_hash=next(iter(ours.values())),
                        way=way,
                        clock=clock,
                        warnings=warnings,
                        relay=relay_of(paths, chain, way) if nodes[chain].is_local else None,
                        truths=truths,
                    )
                )
            if ledger is not None:
                run(give_truths(truths, ledger, sent_basis(settings)))
            yield answers
    finally:
        table.close()
        truths.close()

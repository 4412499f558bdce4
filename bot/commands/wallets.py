"""Commands /wallets, /tx and /contract: what signs, what was sent, what is called on each chain."""

import dataclasses
from typing import Final

from msgspec.structs import replace

from bot.answer import Answer, Button, Confirmation
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly, answer_unknown, ask_to_loosen
from bot.grammar import Argument, Arguments, Form
from bot.render.wallets import (
    render_ask_pause,
    render_ask_unpause,
    render_contracts,
    render_transactions,
    render_wallets,
)
from engine.bus.reports import Declined
from engine.bus.sending_reports import ContractsReport
from engine.domain.errors import TransientError
from engine.requests.transactions import (
    GetContracts,
    GetTransactions,
    PauseContract,
    UnpauseContract,
)
from engine.requests.wallets import GetWallets

SHOWN: Final = 5
SHOWN_MAX: Final = 50
PAUSE: Final = "pause"
UNPAUSE: Final = "unpause"

_WALLETS = Button(label="Wallets", line="/wallets")
_TX = Button(label="Transactions", line="/tx")
_CONTRACT = Button(label="Contract", line="/contract")
_TRADES = Button(label="Trades", line="/trades")


async def wallets(call: Call) -> Answer:
    """Show the wallet; balances only while the sender is there."""
    report = await call.ask(GetWallets())
    try:
        contracts = await call.ask(GetContracts())
    except TransientError:
        contracts = None
    return Answer(screen=render_wallets(report, contracts), buttons=((_TX, _CONTRACT),))


WALLETS = CommandEntry(
    name="wallets",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="what signs, its coins, its caps today",
    long_help=(
        (
            "Shows the wallet that signs: its address, whether its key is open, what it has for gas"
            " on each chain, and how much of each cap is used today."
        ),
        "A locked one signs nothing until keys unlock on the machine opens it.",
    ),
    handler=wallets,
    parent="balance",
)


async def tx(call: Call) -> Answer:
    """Show the newest transactions."""
    report = await call.ask(
        GetTransactions(most=call.arguments.number("transactions", default=SHOWN))
    )
    return Answer(screen=render_transactions(report), buttons=((_TRADES, _WALLETS, _CONTRACT),))


TX = CommandEntry(
    name="tx",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="newest transactions, state and cost",
    long_help=(
        (
            "Shows the newest transactions: plan, chain, state, hash, block, nonce, what it gained"
            " before gas and what gas cost; a link where an explorer knows it."
        ),
        (
            "Succeeded stands with enough blocks on top, final for good. Reverted and cancelled"
            " ones cost gas and did nothing else. Plans that were never sent are counted above."
        ),
    ),
    handler=tx,
    parent="trades",
    grammar=(Argument(name="transactions", form=Form.NUMBER, number_max=SHOWN_MAX),),
)


async def contract(call: Call) -> Answer:
    """Show our contract on each chain; ask once more before it is paused, or let run again."""
    report = await call.ask(GetContracts())
    act = call.arguments.text("act")
    if act is None:
        pauses = tuple(
            Button(label=f"Pause {one.chain}…", line=f"/contract {PAUSE} {one.chain}")
            for one in report.contracts
            if one.is_guardian and not one.is_paused
        ) + tuple(
            Button(label=f"Let {one.chain} run…", line=f"/contract {UNPAUSE} {one.chain}")
            for one in report.contracts
            if one.is_paused
        )
        rows = (pauses,) if pauses else ()
        return Answer(screen=render_contracts(report), buttons=(*rows, (_WALLETS, _TX)))
    chain = (call.arguments.text("chain") or "").lower()
    known = [one.chain for one in report.contracts]
    if chain not in known:
        return answer_unknown(f"/contract {act}", "contract on", chain or "no chain", known)
    if act == UNPAUSE:
        return await _unpause(call, report, chain)
    action = f"Pause the contract on {chain}"
    return Answer(
        screen=render_ask_pause(report, chain),
        confirmation=Confirmation(
            action=action, command=call.seal(PauseContract(chain=chain), at_ns=call.now_ns)
        ),
    )


async def _unpause(call: Call, report: ContractsReport, chain: str) -> Answer:
    """Let it run again once that has what a loosening needs."""
    code = call.arguments.text("code")
    command = UnpauseContract(chain=chain, is_confirmed=code is not None, code=code)
    reply = await call.ask(call.seal(command, at_ns=call.given_at_ns if code else call.now_ns))
    if isinstance(reply, Declined) and reply.needs_confirmation:
        answer = await ask_to_loosen(
            call,
            replace(command, is_confirmed=True),
            reply,
            asked=f"Let the contract on {chain} run again?",
            action=f"Let {chain} run",
        )
        return dataclasses.replace(answer, screen=render_ask_unpause(report, chain, answer.screen))
    return answer_plainly(reply, call.settings)


def is_pause(arguments: Arguments) -> bool:
    """Say whether a line asks for a pause, or for its end."""
    return arguments.text("act") is not None


CONTRACT = CommandEntry(
    name="contract",
    topic=Topic.MONEY,
    kind=Kind.READ,
    short_help="our contract: code, roles, pause",
    long_help=(
        (
            "Shows our contract on each chain as its nodes have it now: whether its code is what"
            " the settings name, owner, what the wallet may do, whether it is paused, where gains"
            " go and what came there, and what it holds itself if it holds anything."
        ),
        (
            "/contract pause base asks once more, then sends a transaction after which it takes no"
            " route of anybody until its owner lets it run. It is signed while killed too, is kept"
            " before it is answered, done once also after a restart, and in the audit."
        ),
        (
            "/contract unpause base lets it run again, with what a looser limit takes: a second"
            " step, or with an authenticator the same line and its six digits; not while killed."
            " It takes the owner: this wallet, or on a local chain the account that the sandbox"
            " lends. Of any other owner it says whose word it takes."
        ),
    ),
    handler=contract,
    parent="balance",
    changes_when=is_pause,
    grammar=(
        Argument(name="act", form=Form.CHOICE, choices=(PAUSE, UNPAUSE)),
        Argument(name="chain", form=Form.WORD, may_be_skipped=True),
        Argument(name="code", form=Form.CODE),
    ),
)

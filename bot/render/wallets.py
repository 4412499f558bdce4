"""Screens of what signs and sends: wallets, transactions, our contract on each chain."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from bot.render import words
from bot.render.screen import Lines, Mark, Screen, Text, wrapped
from engine.bus.sending_reports import (
    ContractLine,
    ContractsReport,
    TransactionLine,
    TransactionsReport,
)
from engine.bus.signing import CapLine, SignedVenue, WalletsReport

_ENDS: Final = 6
_KEY_CHARACTERS: Final = 16
_TAIL: Final = 4
_WHY_CHARACTERS: Final = 120
_NO_CONTRACT: Final = "No contract of ours is called: make deploy CHAIN=base."
_UNHAPPY: Final = frozenset({"reverted", "never", "cancelled", "undone"})
_ENDED: Final = frozenset({"final", "lost", "void"})


def render_wallets(report: WalletsReport, contracts: ContractsReport | None) -> Screen:
    """Show the wallet, what it has on each chain, and what of the day's caps is used.

    Args:
        report: of the signer.
        contracts: of the sender; None while it is away.
    """
    lines = [f"{one.name}: {_key_of(one)}" for one in report.venues]
    if report.venues and not report.chains:
        return _exchanges_alone(report, lines)
    if contracts is None:
        lines.append("balances: the sender is away")
    else:
        lines += [
            f"{one.chain} {words.size(one.wallet_coins)} {one.native} for gas"
            for one in contracts.contracts
        ]
    lines += [_cap(one) for one in report.caps if one.used or not _protects(one)]
    locked = "locked: keys unlock on the machine opens it" if report.is_locked else "open"
    return Screen(
        title=f"Wallet: {'locked' if report.is_locked else 'open'}",
        mark=Mark.WARN if report.is_locked else Mark.GOOD,
        blocks=(
            Text(report.address or "Its address is not known before the key was open once."),
            wrapped([f"key in a {report.key}, {locked}", *lines]),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def _exchanges_alone(report: WalletsReport, lines: list[str]) -> Screen:
    """Show keys of exchanges where nothing is signed for chains."""
    is_locked = any(not one.key for one in report.venues)
    caps = [_cap(one) for one in report.caps if "exchange" in one.what or one.used]
    return Screen(
        title=f"Keys of exchanges: {'some locked' if is_locked else 'open'}",
        mark=Mark.WARN if is_locked else Mark.GOOD,
        blocks=(wrapped([*lines, *caps]),),
        note=words.BASIS_WORDS[report.basis],
    )


def _key_of(venue: SignedVenue) -> str:
    if not venue.key:
        return "locked: keys unlock"
    return f"key {venue.key.rpartition('/')[2][-_KEY_CHARACTERS:]}, open"


def render_transactions(report: TransactionsReport) -> Screen:
    """Show the newest transactions, two or three lines each."""
    under_way = sum(one.state not in _ENDED for one in report.transactions)
    blocks: list[Text | Lines] = []
    if report.unsent:
        why = f" The newest: {report.unsent_why[:_WHY_CHARACTERS]}" if report.unsent_why else ""
        blocks.append(Text(f"{words.count(report.unsent)} plans were never sent.{why}"))
    rows = [row for one in report.transactions for row in _transaction_rows(one)]
    blocks.append(wrapped(rows) if rows else Text("None was sent yet."))
    links = [one.explorer_url for one in report.transactions if one.explorer_url]
    blocks += [Text(link) for link in links[:1]]
    return Screen(
        title=f"Transactions: {words.count(report.count)}, {words.count(under_way)} not final",
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def render_contracts(report: ContractsReport) -> Screen:
    """Show our contract on each chain in some lines."""
    well = sum(not _ills(one) for one in report.contracts)
    rows = [row for one in report.contracts for row in _contract_rows(one)]
    return Screen(
        title=f"Contract: {well} of {len(report.contracts)} chains ready",
        mark=Mark.GOOD if report.contracts and well == len(report.contracts) else Mark.WARN,
        blocks=(wrapped(rows) if rows else Text(_NO_CONTRACT),),
        note=words.BASIS_WORDS[report.basis],
    )


def render_ask_pause(report: ContractsReport, chain: str) -> Screen:
    """Ask once more before our contract is paused on a chain."""
    return Screen(
        title=f"Pause the contract on {chain}?",
        mark=Mark.WARN,
        blocks=(
            Text("A transaction of the wallet pauses it: no route of anybody is taken after that."),
            Text("Its owner alone lets it run again: /contract unpause asks for that."),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def render_ask_unpause(report: ContractsReport, chain: str, asked: Screen) -> Screen:
    """Say whose word lets our contract run again, below what that lacks."""
    one = next(line for line in report.contracts if line.chain == chain)
    owner = "this wallet is" if one.owner == one.wallet else f"{_short(one.owner)} is"
    return replace(
        asked,
        blocks=(
            *asked.blocks,
            Text(f"Routes of ours are taken again after it. Its owner signs it: {owner}."),
        ),
    )


def _protects(cap: CapLine) -> bool:
    return "protect" in cap.what


def _cap(cap: CapLine) -> str:
    unit = f" {cap.unit}" if cap.unit else ""
    return f"{cap.what}: {words.size(cap.used)} of {words.size(cap.most)}{unit}"


def _transaction_rows(one: TransactionLine) -> Iterator[str]:
    said = one.fate or one.state
    state = said if one.state in {said, "final"} else f"{said}, {one.state}"
    yield f"{one.ref} {one.chain} {state}"
    block = "" if one.block is None else f" in {one.block:,}"
    again = f", {one.attempts} bids" if one.attempts > 1 else ""
    if one.hash:
        yield f"  {_short(one.hash)}{block}{again}"
    yield f"  nonce {one.nonce}{_money(one)}"
    if one.why and (one.fate in _UNHAPPY or not one.fate):
        yield f"  {one.why[:_WHY_CHARACTERS]}"


def _money(one: TransactionLine) -> str:
    gain = "" if one.gain is None else f", +{words.size(one.gain)} {one.asset}"
    cost = "" if one.cost is None else f", gas {words.size(one.cost)} {one.native}"
    return f"{gain}{cost}"


def _contract_rows(one: ContractLine) -> Iterator[str]:
    ills = _ills(one)
    yield f"{one.chain}: {', '.join(ills) if ills else 'ready'}"
    yield f"  at {_short(one.address)}, code {_short(one.code_hash) if one.code_hash else 'none'}"
    if one.owner:
        yield f"  owner {_short(one.owner)}"
        may = [what for what, is_so in (("sends", one.is_executor), ("pauses", one.is_guardian))
               if is_so]  # fmt: skip
        yield f"  wallet {_short(one.wallet)} {' and '.join(may) or 'may do nothing'}"
        yield f"  gains to {_short(one.recovery)}"
        there = [f"{words.size(amount)} {asset}" for asset, amount in one.earned.items() if amount]
        yield f"  there {', '.join(there) or 'nothing yet'}"
        if one.held:
            yield f"  holds {words.size(one.held)} W{one.native}"
    yield f"  {words.size(one.wallet_coins)} {one.native} for gas"


def _ills(one: ContractLine) -> Sequence[str]:
    if one.trouble:
        return [one.trouble]
    ills = ["PAUSED"] if one.is_paused else []
    return ills if one.is_executor else [*ills, "the wallet may not send"]


def _short(digits: str) -> str:
    return f"{digits[:_ENDS]}…{digits[-_TAIL:]}"

"""Screens of what our wallet and our contract have allowed others to take."""

from collections.abc import Iterator
from typing import Final

from bot.render import words
from bot.render.screen import Lines, Mark, Screen, Text, wrapped
from engine.bus.allowances import AllowanceLine, AllowancesLine, AllowancesReport

_ENDS: Final = 6
_TAIL: Final = 4
_TROUBLE_CHARACTERS: Final = 120


def render_allowances(report: AllowancesReport) -> Screen:
    """Show all allowances, numbered as they can be taken back, with the block they are of."""
    lines = numbered(report)
    unlimited = sum(line.is_unlimited for _, line in lines)
    blocks: list[Text | Lines] = []
    rows = []
    for number, (chain, line) in enumerate(lines, 1):
        rows += list(_rows(number, chain, line))
    if rows:
        blocks.append(wrapped(rows))
    else:
        blocks.append(Text("Nobody may take anything of the wallet or the contract."))
    blocks += [Text(_seen(chain)) for chain in report.chains]
    title = f"Allowances: {words.count(len(lines))}, {words.count(unlimited)} unlimited"
    return Screen(
        title=title,
        mark=Mark.WARN if lines else Mark.GOOD,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def render_ask_revoke(report: AllowancesReport, chain: str, line: AllowanceLine) -> Screen:
    """Ask once more before an allowance is taken back."""
    how = "the contract calls the token" if line.by == "contract" else "the wallet calls the token"
    return Screen(
        title=f"Revoke {line.symbol[:12]} for {short(line.spender)}?",
        mark=Mark.WARN,
        blocks=(
            Text(f"On {chain} {how}: approve(spender, 0), and nothing else is signed."),
            Text(f"{_amount(line)} of {short(line.token)}, given by the {line.by}."),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def numbered(report: AllowancesReport) -> list[tuple[str, AllowanceLine]]:
    """Return all allowances with their chain: unlimited ones first."""
    found = [(chain.chain, line) for chain in report.chains for line in chain.given]
    return sorted(found, key=lambda one: (not one[1].is_unlimited, one[0]))


def short(digits: str) -> str:
    """Return an address by its ends."""
    return f"{digits[:_ENDS]}…{digits[-_TAIL:]}"


def _rows(number: int, chain: str, line: AllowanceLine) -> Iterator[str]:
    symbol = line.symbol if not line.symbol.startswith("0x") else short(line.symbol)
    yield f"{number} {symbol} {chain} {_amount(line)}"
    yield f"  {line.by} to {short(line.spender)}"


def _amount(line: AllowanceLine) -> str:
    return "UNLIMITED" if line.is_unlimited else words.size(line.amount)


def _seen(chain: AllowancesLine) -> str:
    if chain.trouble:
        return f"{chain.chain}: {chain.trouble[:_TROUBLE_CHARACTERS]}"
    left = f", {words.count(chain.left_out)} more not" if chain.left_out else ""
    return (
        f"{chain.chain}: asked at block {chain.block:,}, of {words.count(chain.looked)} that"
        f" logs name since block {chain.since:,}{left}."
    )

"""Screens of tokens and what is known of them."""

import re
from typing import Final

from bot.render import words
from bot.render.screen import Facts, Mark, Screen, Text, wrapped
from engine.bus.token_report import TokenLine, TokenReport
from engine.domain.token_safety import Finding, Standing, Verdict

_MARKS: Final = {
    Standing.SAFE: Mark.GOOD,
    Standing.TAXED: Mark.WARN,
    Standing.REFUSED: Mark.BAD,
    Standing.UNKNOWN: Mark.WARN,
}
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")
_TIMES: Final = ("buy", "send", "sell")
_ENDS: Final = 4
_SHORT_CHARACTERS: Final = 2 * _ENDS + 3


def render_token(report: TokenReport) -> Screen:
    """Show one token with its evidence, several in a line each."""
    if len(report.found) == 1 and (verdict := report.found[0].verdict) is not None:
        return _render_verdict(report, report.found[0], verdict)
    lines = [row for line in report.found for row in _rows(line, report.now_s)]
    more = report.found_count - len(report.found)
    return Screen(
        title=f"Tokens: {words.count(report.found_count)}",
        blocks=(
            Text(_totals(report)),
            wrapped([*lines, *([f"… and {words.count(more)} more"] if more > 0 else [])]),
        ),
        note=words.BASIS_WORDS[report.basis],
    )


def _render_verdict(report: TokenReport, line: TokenLine, verdict: Verdict) -> Screen:
    taxes = (verdict.buy_tax_bps, verdict.transfer_tax_bps, verdict.sell_tax_bps)
    left_s = verdict.until_s - report.now_s
    age = words.duration(max(report.now_s - verdict.judged_at_s, 0))
    holds = f"{words.duration(left_s)} more" if left_s > 0 else "no more: it ran out"
    rows = (
        ("Address", short(verdict.token)),
        ("In routes", "no" if line.why_not else "yes"),
        ("Lost", ", ".join(_lost(*one) for one in zip(_TIMES, taxes, strict=True))),
        ("Probed", f"{age} ago at {verdict.block_number}"),
        ("Holds", holds),
    )
    found = [f"✖ {_said(one)}" for one in verdict.reasons]
    found += [f"· {_said(one)}" for one in verdict.warnings]
    mark = _MARKS[verdict.standing] if left_s > 0 else Mark.WARN
    return Screen(
        title=f"{verdict.symbol} on {verdict.chain}: {verdict.standing}",
        mark=mark,
        blocks=(Facts(rows), wrapped(found or ["Nothing speaks against it."])),
        note=words.BASIS_WORDS[report.basis],
    )


def _rows(line: TokenLine, now_s: int) -> list[str]:
    verdict = line.verdict
    if verdict is None:
        return [f"{short(line.token)} {line.chain}", "  not probed yet"]
    ran_out = ", ran out" if verdict.until_s <= now_s else ""
    first = f"{verdict.symbol} {line.chain}: {verdict.standing}{ran_out}"
    return [first, f"  {_said(verdict.reasons[0])}"] if verdict.reasons else [first]


def _lost(what: str, tax_bps: int | None) -> str:
    return f"{what} ?" if tax_bps is None else f"{what} {tax_bps / 100:g}%"


def _said(finding: Finding) -> str:
    return _ADDRESS.sub(lambda found: short(found[0]), finding.text)


def _totals(report: TokenReport) -> str:
    said = [
        f"{words.count(report.counts[one])} {one}" for one in Standing if report.counts.get(one)
    ]
    waiting = f"; {words.count(report.waiting)} wait for a probe" if report.waiting else ""
    return (", ".join(said) or "No token has been probed yet") + waiting + "."


def short(address: str) -> str:
    """Return an address by its two ends."""
    if len(address) <= _SHORT_CHARACTERS:
        return address
    return f"{address[: _ENDS + 2]}…{address[-_ENDS:]}"

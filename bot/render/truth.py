"""Screens of what trades on chain were: predicted, simulated, realised, and why these differ."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from bot.answer import Scatter
from bot.render import words
from bot.render.charts import span
from bot.render.screen import Lines, Screen, Text, wrapped
from engine.bus.truth_lines import CauseLine, TruthLine
from engine.bus.truths import TruthsReport
from engine.domain import claims
from engine.domain.claims import INCLUSION
from engine.domain.truths import Step

CAUSES_SHOWN: Final = 5
_ENDS: Final = 6
_TAIL: Final = 4
_CAPTURED: Final = "succeeded"


def render_truths(report: TruthsReport, *, days: int) -> Screen:
    """Show what all trades of some days came to, and the newest; each figure with its n."""
    title = f"Truth: {words.count(report.n)} trades, {span(days)}"
    note = words.BASIS_WORDS[report.basis]
    if not report.n:
        text = Text("No transaction of a plan has ended. Trades at books: /report, /why.")
        return Screen(title=title, blocks=(text,), note=note)
    predicted, realised = (
        words.usd(one, is_signed=True) for one in (report.predicted_usd, report.realised_usd)
    )
    simulated = words.usd(report.simulated_usd, is_signed=True)
    fates = words.listing([f"{words.count(n)} {fate}" for fate, n in report.fates.items()])
    blocks: list[Text | Lines] = [
        wrapped(
            [
                f"predicted {predicted}, n {words.count(report.n)}",
                f"simulated {simulated}, n {words.count(report.simulated_n)}",
                f"realised {realised}, n {words.count(report.n)}",
            ]
        ),
        Text(f"{fates[:1].upper()}{fates[1:]}."),
    ]
    if report.causes:
        blocks.append(Text("What made the difference:"))
        blocks.append(wrapped([_cause(one) for one in report.causes[:CAUSES_SHOWN]]))
    blocks.append(Text(_ahead(report)))
    blocks.append(wrapped([row for one in report.lines for row in _rows(one)]))
    return Screen(title=title, blocks=tuple(blocks), note=note)


def truth_block(line: TruthLine) -> Text:
    """Return what one trade was, in prose: between each two figures what made the difference."""
    figures = [f"Predicted {words.usd(line.predicted_usd, is_signed=True)}"]
    if line.simulated_usd is not None:
        figures.append(_between(line.causes, Step.SIMULATED))
        figures.append(f"simulated {words.usd(line.simulated_usd, is_signed=True)}")
    figures.append(_between(line.causes, Step.REALISED))
    figures.append(f"on chain {words.usd(line.realised_usd, is_signed=True)}")
    ahead = "" if line.ahead_count is None else f"; {_in_front(line)}"
    chance = "" if line.chance is None else f"; chance told {claims.told(line.chance, INCLUSION)}"
    return Text(f"{', '.join(one for one in figures if one)}{ahead}{chance}")


def make_truth_picture(report: TruthsReport, *, days: int) -> Scatter | None:
    """Return the picture of predicted against realised, None without a trade."""
    if not report.lines:
        return None
    shown = len(report.lines)
    of_all = "" if shown == report.n else f", the newest of {words.count(report.n)}"
    realised = sum((one.realised_usd for one in report.lines), Decimal(0))
    predicted = sum((one.predicted_usd for one in report.lines), Decimal(0))
    return Scatter(
        name="truth",
        title=f"Predicted and realised, {span(days)}",
        points=tuple(
            (float(one.predicted_usd), float(one.realised_usd), one.fate == _CAPTURED)
            for one in report.lines
        ),
        axes=("predicted, USD", "realised, USD"),
        legend=("captured", "anything else"),
        result=f"{words.usd(realised, is_signed=True)} of {words.usd(predicted, is_signed=True)}",
        hint=f"a point each, n {words.count(shown)}{of_all}; on the line both are alike",
        basis_note=words.BASIS_WORDS[report.basis],
    )


def _cause(one: CauseLine) -> str:
    return f"{one.cause} {words.usd(one.usd, is_signed=True)}, n {words.count(one.count)}"


def _ahead(report: TruthsReport) -> str:
    known = f"n {words.count(report.ahead_n)} blocks"
    if not report.ahead:
        return f"Nobody was in front in our block ({known})."
    most = report.ahead[0]
    return f"In front most often: {_short(most.sender)}, {words.count(most.count)} times ({known})."


def _rows(one: TruthLine) -> Iterator[str]:
    simulated = "-" if one.simulated_usd is None else _usd(one.simulated_usd)
    yield f"{one.plan_id} {one.chain} {one.fate}"
    yield f"  {_usd(one.predicted_usd)} › {simulated} › {_usd(one.realised_usd)}"
    if one.causes:
        worst = min(one.causes, key=lambda cause: cause.usd)
        in_front = f", {_in_front(one)}" if one.ahead_count else ""
        yield f"  {worst.cause} {_usd(worst.usd)}{in_front}"


def _in_front(line: TruthLine) -> str:
    if not line.ahead_count:
        return "nobody in front"
    who = f" by {_short(line.ahead[0].sender)}" if line.ahead else ""
    return f"{words.count(line.ahead_count)} in front{who}"


def _between(causes: Sequence[CauseLine], step: Step) -> str:
    told = [f"{one.cause} {_usd(one.usd)}" for one in causes if one.step == step.value]
    return words.listing(told) if told else ""


def _usd(value: Decimal) -> str:
    return words.usd(value, is_signed=True)


def _short(digits: str) -> str:
    return f"{digits[:_ENDS]}…{digits[-_TAIL:]}"

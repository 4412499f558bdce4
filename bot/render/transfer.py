"""Screens of transfers between exchanges: on their way, ended, and the question before one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.render import words
from bot.render.screen import Lines, Mark, Screen, Text, wrapped
from engine.bus.notices import TransferTold
from engine.bus.transfer_reports import TransferLine, TransfersReport, TransferTermsReport
from engine.domain.transfers import TransferMatter
from engine.domain.units import NS_PER_S

_OFF = (
    "Nothing is withdrawn from any exchange: python -m engine keys withdraw VENUE keeps a key that"
    " withdraws and does nothing else, SYNDICATE_TRANSFERS_VENUES names the exchange."
)
_TITLES = {
    TransferMatter.STARTED: "allowed",
    TransferMatter.TEST_ARRIVED: "the test arrived",
    TransferMatter.DONE: "done",
    TransferMatter.FAILED: "failed",
    TransferMatter.CANCELLED: "cancelled",
    TransferMatter.UNKNOWN: "unknown",
    TransferMatter.OVERDUE: "takes long",
    TransferMatter.ALARM: "look at it",
}
_GOOD = frozenset({TransferMatter.DONE, TransferMatter.TEST_ARRIVED})
_PLAIN = frozenset({TransferMatter.STARTED, TransferMatter.CANCELLED})
_SHOWN_CHARACTERS = 160


def render_transfers(report: TransfersReport, *, now_ns: int) -> Screen:
    """Show transfers, those that have not ended first."""
    open_count = sum(one.is_open for one in report.lines)
    unknown = any(one.unknown_since_ns for one in report.lines)
    blocks: list[Text | Lines] = []
    if not report.sources:
        blocks.append(Text(_OFF))
    rows = [row for one in report.lines for row in _rows(one, now_ns)]
    if rows:
        blocks.append(wrapped(rows))
    elif report.sources:
        blocks.append(Text(f"None yet. From {words.listing(report.sources)} may be withdrawn."))
    return Screen(
        title=f"Transfers: {words.count(open_count)} under way",
        mark=Mark.WARN if unknown else Mark.NONE,
        blocks=tuple(blocks),
        note=words.BASIS_WORDS[report.basis],
    )


def render_ask_transfer(terms: TransferTermsReport, asked: Screen) -> Screen:
    """Say all that a person says yes to, below what that lacks."""
    order = terms.order
    assert order is not None
    to = order.destination
    rest = order.amount - order.test_amount
    rows = [
        f"{words.size(order.amount)} {order.asset} leave {order.source}",
        f"to {to.venue}, on {to.chain}",
        f"  {to.address}",
        *([f"  tag {to.memo}"] if to.memo else []),
        f"first {words.size(order.test_amount)} as a test",
        f"then {words.size(rest)}" if rest else "which is all of it",
        f"waits {words.duration(order.delay_ns / NS_PER_S)} before the test",
    ]
    if terms.free is not None:
        rows.append(f"free there now {words.size(terms.free)}")
    return replace(
        asked,
        blocks=(
            wrapped(rows),
            Text("Fees of the exchange are within it. The rest goes once the test is credited."),
            *asked.blocks,
        ),
    )


def on_the_way(report: TransfersReport | None) -> Sequence[str]:
    """Say what is neither here nor there, a line a transfer."""
    return [
        f"{words.size(one.under_way)} {one.order.asset}"
        f" {one.order.source}→{one.order.destination.venue}"
        for one in ([] if report is None else report.lines)
        if one.is_open and one.under_way
    ]


def transfer_content(notice: TransferTold) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines of a notice."""
    mark = Mark.GOOD if notice.matter in _GOOD else Mark.WARN
    if notice.matter in _PLAIN:
        mark = Mark.NONE
    what = f"{notice.what[:1].upper()}{notice.what[1:]}."
    return mark, f"Transfer {notice.transfer_id}: {_TITLES[notice.matter]}", [what]


def _rows(one: TransferLine, now_ns: int) -> Iterator[str]:
    order = one.order
    yield f"{order.transfer_id} {order.source}→{order.destination.venue} {one.state}"
    yield f"  {words.size(order.amount)} {order.asset} on {order.destination.chain}"
    if one.is_open and now_ns < one.due_ns and not one.under_way and not one.arrived:
        yield f"  its test goes in {words.duration((one.due_ns - now_ns) / NS_PER_S)}"
    if one.under_way:
        yield f"  on its way {words.size(one.under_way)}"
    if one.arrived:
        yield f"  arrived {words.size(one.arrived)}, the way kept {words.size(one.cost)}"
    if one.unknown_since_ns:
        yield f"  unknown for {words.duration((now_ns - one.unknown_since_ns) / NS_PER_S)}"
    if one.waits:
        yield f"  waits: {one.waits[:_SHOWN_CHARACTERS]}"
    if not one.is_open and one.news and not one.arrived:
        yield f"  {one.news[-1].what.rpartition(': ')[2][:_SHOWN_CHARACTERS]}"

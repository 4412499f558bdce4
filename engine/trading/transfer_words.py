"""What is told of a transfer as it goes on: once each, with what was known then."""

from collections.abc import Iterator
from typing import Final

import msgspec

from engine.domain.exact import exact_sum
from engine.domain.transfer_life import ENDED, Decision, Part, SendState, TransferOrder
from engine.domain.transfers import TransferMatter, TransferNews
from engine.domain.units import NS_PER_S
from engine.gateways.wire import plain
from engine.trading.transfer_kept import KeptTransfer

AGES_S: Final = (600, 3_600, 6 * 3_600, 24 * 3_600)
"""After so long it is told again that a send is unknown, or still under way."""


def with_news(before: KeptTransfer | None, now: KeptTransfer, *, at_ns: int) -> KeptTransfer:
    """Return it with what is to be told of what changed."""
    told = tuple(
        TransferNews(matter=matter, what=what, at_ns=at_ns)
        for matter, what in _changes(before, now)
    )
    return msgspec.structs.replace(now, news=(*now.news, *told)) if told else now


def with_age(kept: KeptTransfer, *, at_ns: int) -> KeptTransfer:
    """Return it with what is to be told of how long it takes by now."""
    told = {one.what for one in kept.news}
    news = [
        one
        for one in (_aged(kept, part, at_ns) for part in kept.life.sends)
        if one is not None and one.what not in told
    ]
    return msgspec.structs.replace(kept, news=(*kept.news, *news)) if news else kept


def way_of(order: TransferOrder) -> str:
    """Say what a transfer is."""
    to = order.destination
    return f"{plain(order.amount)} {order.asset} from {order.source} to {to.venue} on {to.chain}"


def _changes(
    before: KeptTransfer | None, now: KeptTransfer
) -> Iterator[tuple[TransferMatter, str]]:
    if before is None:
        yield TransferMatter.STARTED, _started(now)
        return
    for part, send in now.life.sends.items():
        was = before.life.sends.get(part)
        if was is not None and was.state is send.state:
            continue
        if send.state is SendState.UNKNOWN:
            yield TransferMatter.UNKNOWN, _unknown(now, part)
        if send.state is SendState.ARRIVED and part is Part.TEST and _has_rest(now):
            yield TransferMatter.TEST_ARRIVED, _tested(now)
    for what in now.life.alarms:
        if what not in before.life.alarms:
            yield TransferMatter.ALARM, what
    if now.ended_ns and not before.ended_ns:
        yield _end(now)


def _started(now: KeptTransfer) -> str:
    order = now.life.order
    return (
        f"{way_of(order)}: {now.by} allowed it; its test of {plain(order.test_amount)} goes in"
        f" {order.delay_ns // NS_PER_S} s, until then /transfer cancel {now.transfer_id} stops all"
        " of it"
    )


def _unknown(now: KeptTransfer, part: Part) -> str:
    return (
        f"what became of its {part} of {plain(now.life.sends[part].amount)} {now.asset} is not"
        f" known ({now.facts[part].why}); it is looked up until that is proven, and never sent"
        " again"
    )


def _has_rest(now: KeptTransfer) -> bool:
    return now.life.order.test_amount < now.life.order.amount


def _tested(now: KeptTransfer) -> str:
    order, send = now.life.order, now.life.sends[Part.TEST]
    rest = plain(exact_sum((order.amount, -order.test_amount)))
    is_due = now.life.decision is Decision.DUE
    then = f"the rest of {rest} goes now" if is_due else f"the rest of {rest} was stopped"
    return (
        f"its test is at {now.target}: {plain(send.credited)} {now.asset} of"
        f" {plain(send.amount)}; {then}"
    )


def _end(now: KeptTransfer) -> tuple[TransferMatter, str]:
    life, way = now.life, way_of(now.life.order)
    for part, send in life.sends.items():
        if send.state is SendState.FAILED:
            return TransferMatter.FAILED, f"{way}: its {part} failed: {now.facts[part].why}"
    arrived = exact_sum(send.credited for send in life.sends.values())
    if life.decision is Decision.CANCELLED and life.state != SendState.ARRIVED:
        came = f"{plain(arrived)} {now.asset} arrived" if arrived else "nothing was sent"
        return TransferMatter.CANCELLED, f"{way}: cancelled, {came}: {now.why}"
    cost = exact_sum(send.cost for send in life.sends.values())
    return (
        TransferMatter.DONE,
        f"{way}: all of it is there, {plain(arrived)}; the way kept {plain(cost)}",
    )


def _aged(kept: KeptTransfer, part: Part, at_ns: int) -> TransferNews | None:
    send, facts = kept.life.sends[part], kept.facts[part]
    if send.state in ENDED:
        return None
    since_ns = facts.unknown_since_ns or facts.intended_ms * 1_000_000
    age_s = max((one for one in AGES_S if (at_ns - since_ns) // NS_PER_S >= one), default=0)
    if not age_s:
        return None
    how_long = f"{age_s // 60} minutes" if age_s < 3_600 else f"{age_s // 3_600} h"  # noqa: PLR2004
    if facts.unknown_since_ns:
        return TransferNews(
            matter=TransferMatter.UNKNOWN,
            what=f"what became of its {part} is not known for {how_long}: {facts.why}",
            at_ns=at_ns,
        )
    return TransferNews(
        matter=TransferMatter.OVERDUE,
        what=f"its {part} is under way for {how_long}: look at {kept.source} and {kept.target}",
        at_ns=at_ns,
    )

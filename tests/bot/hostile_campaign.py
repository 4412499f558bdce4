"""Hostile strings on every kind of screen, and mutated updates at the door.

`python -m tests.bot.hostile_campaign --strings 100000 --updates 1000000 --seed 1`.
"""

import argparse
import copy
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bot.access import Access
from bot.command import Kind
from bot.dispatch import Invocation
from bot.render.html import MESSAGE_UNITS_MAX, write_html
from bot.render.screen import WIDTH, Facts, Lines, Screen, Table, Text, monospace_rows
from bot.telegram.arrivals import Arrival, read_arrival
from engine.domain.people import Rank
from tests.bot.people import GUEST
from tests.telegram.emulator import OPERATOR_ID
from tests.telegram.markup import MarkupError, parse_html, units

_PIECES: Final = (
    *("<b>", "</b>", "<pre>", "</pre>", "<a href='x'>", "&lt;", "&", "<", ">", "&#0;", "&amp"),
    *('"', "'", "\u202e", "\u200b", "\u200d", "\u2066", "\x00", "\x1b[31m", "\n", "\r\n", "\t"),
    *("\u2028", "\ud800", "\U0001f600", "\u0301" * 40, "\u3164", "`", "_*[]()~", "USDC", "\u1e9e"),
    *("\u65e5\u672c", "\u0627\u0644", "A" * 500, "/kill", "{0}", "%s", "\ufffd", "\uffff"),
    *("\U000e0001", "123456789:" + "A" * 35),
)

RANKS: Final = {OPERATOR_ID: Rank.ADMIN, GUEST.user_id: Rank.VIEWER}

_IDS: Final = (
    *(OPERATOR_ID, OPERATOR_ID + 1, -OPERATOR_ID, GUEST.user_id, 0, 2**63, "4242", None, 1.5),
    True,
)
_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 10**400, 1.5, "", "x" * 5_000, [], {}, [[]], [{}]),
    *("private", "group", "channel", "/kill", "/approve 0123456789ab", "m:/resume", "c:x:y"),
    *("\ud800", {"id": OPERATOR_ID}),
)


@dataclass
class Tally:
    """What was tried and what came of it."""

    strings: int = 0
    updates: int = 0
    admitted: int = 0
    denied: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def hostile(chance: random.Random) -> str:
    """Return a string of pieces that have broken others."""
    count = chance.choice([0, 1, 2, 5, 20])
    return "".join(
        chance.choice(_PIECES) if chance.random() < 0.8 else chr(chance.randrange(1, 0x10FFFF))
        for _ in range(count)
    )


def try_strings(count: int, seed: int, tally: Tally) -> None:
    """Write screens of hostile strings and read them as Telegram does."""
    chance = random.Random(seed)
    while tally.strings < count and not tally.failures:
        texts = [hostile(chance) for _ in range(9)]
        tally.strings += len(texts)
        table = Table(("a", texts[4]), ((texts[5], texts[6]),))
        facts, lines = Facts(((texts[2], texts[3]), ("x", texts[7]))), Lines((texts[8],))
        screen = Screen(title=texts[0], note=texts[1], blocks=(facts, table, lines, Text(texts[7])))
        for part in write_html(screen):
            try:
                visible, _ = parse_html(part)
            except (MarkupError, UnicodeError) as error:
                tally.failures.append(f"{error}: {texts!r}")
                return
            if units(visible) > MESSAGE_UNITS_MAX or not visible.strip():
                tally.failures.append(f"{units(visible)} units of {texts!r}")
        for block in (facts, table, lines):
            if any(len(row) > WIDTH for row in monospace_rows(block)):
                tally.failures.append(f"a row is wider than {WIDTH}: {texts!r}")


def templates(person_id: int = OPERATOR_ID) -> list[dict[str, Any]]:
    """Return updates that are admitted as they are."""
    person = {"id": person_id, "is_bot": False, "first_name": "x"}
    chat = {"id": person_id, "type": "private", "first_name": "x"}
    message = {
        "message_id": 5,
        "date": 1_790_000_000,
        "chat": chat,
        "from": person,
        "text": "/kill",
    }
    tapped = {**message, "from": {"id": 1, "is_bot": True, "first_name": "bot"}, "text": "Approve?"}
    query = {"id": "7", "from": person, "chat_instance": "1", "data": "m:/approve 0123456789ab"}
    return [
        {"update_id": 1, "message": message},
        {"update_id": 2, "callback_query": {**query, "message": tapped}},
    ]


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Walk all places of a JSON value."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from paths_of(value[key], (*path, key))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from paths_of(value[number], (*path, number))


_ADDED: Final = (
    "forward_origin", "via_bot", "sender_chat", "edit_date", "is_automatic_forward", "entities",
    "business_connection_id", "sender_business_bot", "is_from_offline", "inline_message_id",
    "edited_message", "channel_post", "reply_to_message", "business_message", "guest",
)  # fmt: skip


def mutated(template: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return an update with some places changed, removed or added."""
    update = copy.deepcopy(template)
    for _ in range(chance.choice([1, 1, 2, 3])):
        places = list(paths_of(update))
        *parents, last = chance.choice(places)
        at: Any = update
        for step in parents:
            at = at[step]
        roll = chance.random()
        if roll < 0.25:
            del at[last]
        elif roll < 0.5:
            at[last] = chance.choice(_VALUES)
        elif roll < 0.75:
            at[last] = chance.choice(_IDS)
        elif isinstance(at, dict):
            at[chance.choice(_ADDED)] = chance.choice([*_VALUES, copy.deepcopy(template)])
        if not update:
            break
    return update


def may_be_admitted(update: dict[str, Any]) -> bool:
    """Say whether an update is of one who may, typed or tapped in their own private chat."""
    message, query = update.get("message"), update.get("callback_query")
    if isinstance(message, dict):
        person_id = _known(message.get("from"))
        return _is_private(message, person_id) and not _is_passed_on(message)
    if isinstance(query, dict):
        shown = query.get("message")
        return (
            isinstance(shown, dict)
            and _is_private(shown, _known(query.get("from")))
            and not shown.get("forward_origin")
            and not query.get("inline_message_id")
        )
    return False


def acts_above_rank(arrival: Arrival) -> bool:
    """Say whether a guest got more than a look."""
    asked = arrival.asked
    is_guest = arrival.incoming.user_id == GUEST.user_id
    return is_guest and isinstance(asked, Invocation) and asked.kind is not Kind.READ


def _known(person: Any) -> int | None:
    """Return the id of a person who may write, None of anybody else."""
    if not isinstance(person, dict) or person.get("is_bot"):
        return None
    return next((one for one in RANKS if one == person.get("id")), None)


def _is_private(message: dict[str, Any], person_id: int | None) -> bool:
    chat = message.get("chat")
    return (
        person_id is not None
        and isinstance(chat, dict)
        and (chat.get("type"), chat.get("id")) == ("private", person_id)
    )


def _is_passed_on(message: dict[str, Any]) -> bool:
    return any(
        message.get(name)
        for name in (
            *("forward_origin", "via_bot", "sender_chat", "edit_date", "is_automatic_forward"),
            *("business_connection_id", "sender_business_bot", "is_from_offline"),
        )
    )


def try_updates(count: int, seed: int, tally: Tally) -> None:
    """Bring mutated updates to the door."""
    chance = random.Random(seed)
    access = Access(RANKS, lambda: 0)
    whole = [*templates(), *templates(GUEST.user_id)]
    for update in whole:
        assert read_arrival(update, access) is not None
    for _ in range(count):
        update = mutated(chance.choice(whole), chance)
        tally.updates += 1
        try:
            arrival = read_arrival(update, access)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            tally.failures.append(f"{error!r} of {update!r}"[:500])
            return
        if arrival is not None:
            tally.admitted += 1
            if not may_be_admitted(update) or acts_above_rank(arrival):
                tally.failures.append(f"admitted: {update!r}"[:500])
                return
    tally.denied.update({denial.value: number for denial, number in access.denied.items()})


def main() -> int:
    """Run both and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strings", type=int, default=100_000)
    parser.add_argument("--updates", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = Tally()
    try_strings(options.strings, options.seed, tally)
    try_updates(options.updates, options.seed, tally)
    sys.stdout.write(
        f"{tally.strings} hostile strings written; {tally.updates} mutated updates read,"
        f" {tally.admitted} admitted, denied {dict(tally.denied)}\n"
    )
    for failure in tally.failures:
        sys.stdout.write(f"FAILED: {failure}\n")
    return bool(tally.failures)


if __name__ == "__main__":
    sys.exit(main())

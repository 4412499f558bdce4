"""Find out whose phone it is: who writes the code on this screen to the bot is the operator.

Only somebody who sees the terminal knows the code. Strangers who write meanwhile are not answered;
wrong codes are counted over all of them. What is found is kept in `.env`, as an authenticator's
secret is.
"""

import asyncio
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from engine.connectors.outbound import open_outbound
from engine.domain.errors import FatalError
from engine.domain.people import Rank
from engine.settings.schema import Settings, TelegramSettings, environment_name
from engine.tools.enroll import write_setting

CODE_DIGITS: Final = 8
TRIES_MAX: Final = 20
"""Wrong codes of all writers together: with so many, one of 100 million is not guessed."""

PAIR_S: Final = 600
POLL_S: Final = 20
RETRY_S: Final = 1.0
_NAME: Final = environment_name("telegram", "operator_id")
PEOPLE_NAME: Final = environment_name("telegram", "people")
_NOT_TYPED: Final = (
    *("forward_origin", "forward_date", "via_bot", "sender_chat", "business_connection_id"),
    *("sender_business_bot", "edit_date", "is_from_offline", "is_automatic_forward"),
)
_CODE: Final = re.compile(rf"[0-9]{{{CODE_DIGITS}}}", re.ASCII)
_UNAUTHORISED: Final = (401, 404)
_CONFLICT: Final = 409


@dataclass(slots=True)
class Pairing:
    """Judges what is written to the bot.

    Attributes:
        code: what is shown on the terminal.
        began_at_s: what was written before cannot be an answer.
        tries: wrong codes so far.
    """

    code: str = field(repr=False)
    began_at_s: float
    tries: int = 0

    def person_of(self, update: Mapping[str, Any]) -> int | None:
        """Return who wrote the code, by an original message in a private chat."""
        message = update.get("message")
        if not isinstance(message, dict) or any(message.get(name) for name in _NOT_TYPED):
            return None
        date, text = message.get("date"), message.get("text")
        if not isinstance(date, int) or date < int(self.began_at_s) or not isinstance(text, str):
            return None
        person_id, said = _writer(message), re.sub(r"[ -]", "", text)
        if person_id is None or _CODE.fullmatch(said) is None:
            return None
        if self.tries < TRIES_MAX and hmac.compare_digest(said, self.code):
            return person_id
        self.tries += 1
        return None


def _writer(message: Mapping[str, Any]) -> int | None:
    """Return the person who writes in the chat that is theirs alone."""
    writer, chat = message.get("from"), message.get("chat")
    if not isinstance(writer, dict) or not isinstance(chat, dict) or writer.get("is_bot"):
        return None
    person_id = writer.get("id")
    is_own = chat.get("type") == "private" and chat.get("id") == person_id
    return person_id if is_own and isinstance(person_id, int) else None


async def pair(
    settings: Settings,
    env_file: Path,
    *,
    show: Callable[[str], None],
    wall_s: Callable[[], float],
    rank: Rank | None = None,
    code: str | None = None,
    pair_s: float = PAIR_S,
) -> bool:
    """Carry a person through the pairing; says whether somebody was found and kept.

    Without a rank that is the owner; with one somebody who may write to the bot as well.

    Raises:
        FatalError: there is no token or, for another person, no owner; the token is refused or in
            use; or the file cannot be written.
    """
    telegram = settings.telegram
    if telegram.bot_token is None:
        raise FatalError("TELEGRAM_BOT_TOKEN is not set: @BotFather gives you one")
    if rank is None and telegram.operator_id is not None:
        show(
            f"{_NAME} is set already. Remove it to pair another phone as the owner's;"
            " make pair RANK=viewer (operator, admin) lets somebody else in."
        )
        return True
    if rank is not None and telegram.operator_id is None:
        raise FatalError("pair your own phone first: make pair, without RANK")
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}" if code is None else code
    pairing = Pairing(code, wall_s())
    address = f"{telegram.base_url}{telegram.bot_token}/"
    async with open_outbound(settings.network.proxy) as outbound:
        client = outbound.client_for(telegram.base_url)
        name = (await _call(client, address, "getMe", {}) or {}).get("username", "your bot")
        show(f"Write this to @{name} (https://t.me/{name}) from your phone, within 10 minutes:")
        show(f"\n    {code[:4]} {code[4:]}\n")
        try:
            async with asyncio.timeout(pair_s):
                person_id = await _find(client, address, pairing)
        except TimeoutError:
            show("Nobody wrote it in time. Nothing was kept; run it again.")
            return False
        if person_id is None:
            show("Too many wrong codes were written to this bot. Nothing was kept; run it again.")
            return False
        text = _keep(env_file, telegram, person_id, rank)
        await _call(client, address, "sendMessage", {"chat_id": person_id, "text": text})
    show(f"Paired with the Telegram id {person_id}, kept in {env_file}. Start with make run.")
    return True


def _keep(env_file: Path, telegram: TelegramSettings, person_id: int, rank: Rank | None) -> str:
    """Keep who was found; returns what they are told."""
    if rank is None:
        write_setting(env_file, _NAME, str(person_id))
        return "Paired: from now on this bot is yours alone. Start it with make run."
    if person_id == telegram.operator_id:
        raise FatalError("that is the owner's phone, which may do everything: nothing was kept")
    people = {**telegram.people, str(person_id): rank.value}
    told = ",".join(f"{one}={its_rank}" for one, its_rank in people.items())
    write_setting(env_file, PEOPLE_NAME, told)
    return f"Paired: you may write to this bot as {rank} once it is started again."


async def _find(client: aiohttp.ClientSession, address: str, pairing: Pairing) -> int | None:
    offset: int | None = None
    while True:
        asked: dict[str, Any] = {"timeout": POLL_S, "allowed_updates": '["message"]'}
        if offset is not None:
            asked["offset"] = offset
        for update in await _call(client, address, "getUpdates", asked) or []:
            offset = update["update_id"] + 1
            person_id = pairing.person_of(update)
            if person_id is not None:
                await _call(client, address, "getUpdates", {"offset": offset, "timeout": 0})
                return person_id
        if pairing.tries >= TRIES_MAX:
            return None


async def _call(
    client: aiohttp.ClientSession, address: str, method: str, parameters: Mapping[str, Any]
) -> Any:
    """Ask Telegram; None where it did not answer, after a moment.

    Raises:
        FatalError: it refuses the token, or somebody else uses it.
    """
    limit = aiohttp.ClientTimeout(total=2 * POLL_S)
    try:
        async with client.post(
            f"{address}{method}", data=dict(parameters), timeout=limit
        ) as answer:
            if answer.status in _UNAUTHORISED:
                raise FatalError("Telegram refuses TELEGRAM_BOT_TOKEN: is it whole?")
            if answer.status == _CONFLICT:
                raise FatalError("another program uses this bot's token: stop it first")
            reply = json.loads(await answer.read())
    except (aiohttp.ClientError, TimeoutError, ValueError):
        await asyncio.sleep(RETRY_S)
        return None
    return reply.get("result") if isinstance(reply, dict) else None

"""Draw every screen of the chat for the guide: `python -m tests.telegram.guide docs/guide`.

The screens are those that the handlers make of sample reports, as the phone shows them: their page,
their buttons, in light and dark.
"""

import asyncio
import base64
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
from PIL import Image

from bot.answer import Answer, Picture, Theme
from bot.charts import ChartDrawer
from bot.dispatch import Dispatcher, Invocation, Refused, read_line
from bot.notice_buttons import buttons_of
from bot.render.card import CardFacts, card_buttons, render_card
from bot.render.html import write_html
from bot.render.notices import render_notice
from bot.telegram.keyboards import make_menu
from bot.telegram.places import Place, Spot, show_page
from engine.bus.notices import ApprovalAsked, Notice, StampedNotice
from engine.domain.modes import Basis, Mode
from engine.facade.front_end import FrontEndSettings, SettingInForce
from tests.bot import samples
from tests.bot.fake_facade import FakeFacade
from tests.telegram.markup import parse_html
from tests.telegram.picture import PALETTES, SCALE, WIDTH, Phone

DrawChart = Callable[[Picture, Theme], Awaitable[bytes]]

PICTURE_BYTES_MAX: Final = 40_000
NOW_NS: Final = samples.AT_NS + 120_000_000_000
_COLORS: Final = 64
_PHOTO_COLORS: Final = 64
_SIZE: Final = (1.0, 0.8)
"""Scales of a screen, and of one with a picture in it."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A screen as the guide shows it.

    Attributes:
        line: what is typed or tapped; empty for the card and for what comes by itself.
        says: what it is for, in one sentence.
        notice: what comes by itself.
        prepare: brings the engine into the state that is shown.
    """

    name: str
    line: str
    says: str
    page: int = 1
    notice: Notice | None = None
    prepare: Callable[[FakeFacade], None] = lambda facade: setattr(facade, "mode", Mode.PAPER)


def _observing(facade: FakeFacade) -> None:
    facade.mode = Mode.OBSERVE


def _paused(facade: FakeFacade) -> None:
    facade.mode, facade.is_paused = Mode.PAPER, True


def _killed(facade: FakeFacade) -> None:
    facade.mode, facade.is_killed = Mode.PAPER, True


SCENES: Final = (
    Scene(
        name="card", line="", says="The pinned card: how things stand, and until when that counts."
    ),
    Scene(name="start", line="/start", says="The first screen of a newcomer.", prepare=_observing),
    Scene(name="overview", line="/status", says="The overview, which all others stand below."),
    Scene(name="paused", line="/status", says="Paused: the button resumes.", prepare=_paused),
    Scene(name="killed", line="/status", says="Killed: it says so first.", prepare=_killed),
    Scene(name="kill", line="/kill", says="What a kill came to, path by path, and the way back."),
    Scene(
        name="asked",
        line="",
        says="A trade that waits for your word, with all its bounds.",
        notice=ApprovalAsked(
            at_ns=samples.AT_NS, basis=Basis.SANDBOX, approval=samples.approval(), nonce="0" * 12
        ),
    ),
    Scene(
        name="approved",
        line="",
        says="The same message after the trade: the terms stay, and what it came to.",
        notice=msgspec.structs.replace(samples.traded(), approval=samples.approval()),
    ),
    Scene(name="approvals", line="/approvals", says="What waits, and what waiting cost."),
    Scene(name="mandate", line="/mandate BTC-USD 500 10m", says="The second step of a mandate."),
    Scene(name="mandates", line="/mandates", says="What is granted, and what is left of it."),
    Scene(name="opportunities", line="/opportunities", says="What is open, and what was decided."),
    Scene(name="spreads", line="/spreads", says="How far the market is from an opportunity."),
    Scene(name="token", line="/token MOON", says="What is known of a token, and for how long."),
    Scene(name="why", line="/why r7-12", says="One decision with all its numbers."),
    Scene(name="chains", line="/chains", says="How each chain is followed."),
    Scene(name="chain", line="/chains ethereum", says="One chain: its providers, what is stale."),
    Scene(name="pools", line="/pools", says="Pools that are followed, the richest first."),
    Scene(name="gas", line="/gas", says="What a transaction costs on each chain."),
    Scene(name="discoveries", line="/discoveries", says="What agents learned, and its effect."),
    Scene(name="discovery", line="/discoveries 12", says="One of them, with and without it."),
    Scene(name="learned", line="/discoveries 12 chart", says="Its figures over time."),
    Scene(name="trades", line="/trades 6", says="The newest trades, planned and realised."),
    Scene(name="trade", line="/trade", says="A trade step by step, with its times."),
    Scene(name="balance", line="/balance", says="The paper money, and what it earned."),
    Scene(name="inventory", line="/inventory", says="All that is ours, by asset and place."),
    Scene(name="held", line="/inventory picture", says="What was held over a time."),
    Scene(
        name="wallets", line="/wallets", says="What signs, its coins, and what of its caps is used."
    ),
    Scene(name="tx", line="/tx", says="The newest transactions, and what became of each."),
    Scene(name="orders", line="/orders", says="Real orders, and how long one is unknown."),
    Scene(name="order", line="/order r7-15-p-o1", says="One order with its fills and fees."),
    Scene(
        name="balances", line="/balances", says="Venues that are traded for real, and our money."
    ),
    Scene(
        name="low",
        line="",
        says="A place of real money that covers no order any more, told once.",
        notice=samples.low_balance(),
    ),
    Scene(
        name="move",
        line="",
        says="A transfer that would pay, with the address that you wrote down for it.",
        notice=samples.transfer_proposed(),
    ),
    Scene(
        name="transfer",
        line="/transfer",
        says="Money between exchanges: on its way, arrived, and what became of it.",
    ),
    Scene(name="fees", line="/fees", says="The fees of our tier, as venues tell them."),
    Scene(name="truth", line="/truth", says="What was predicted, simulated, realised, and why."),
    Scene(name="truths", line="/truth picture", says="Predicted against realised, a point each."),
    Scene(name="allowances", line="/allowances", says="What others may take, and taking it back."),
    Scene(
        name="contract", line="/contract", says="Our contract on each chain, as its nodes have it."
    ),
    Scene(name="positions", line="/positions", says="Plans under way and leftovers."),
    Scene(name="flatten", line="/flatten", says="What closing each leftover would come to now."),
    Scene(name="risk", line="/limits", says="Each limit and how much of it is used."),
    Scene(name="venue", line="/venue", says="Venues that are on and off, each with its button."),
    Scene(name="fee", line="/fee", says="The fees that are reckoned with, and since when."),
    Scene(
        name="exposure", line="/exposure", says="If I die now: what is at stake, what protects it."
    ),
    Scene(name="system", line="/system", says="Feeds, clock, outbox, memory; troubles first."),
    Scene(name="health", line="/health", says="What is not well, since when, and why."),
    Scene(name="stood", line="/health picture", says="How each component stood over a day."),
    Scene(name="recovery", line="/health policies", says="How the program helped itself."),
    Scene(name="incidents", line="/incident", says="Failures that belong together."),
    Scene(name="incident", line="/incident 7", says="What was seen and tried, line by line."),
    Scene(name="agents", line="/agents", says="Who learns what in the background."),
    Scene(name="tasks", line="/tasks", says="What runs, what waits and for what."),
    Scene(name="task", line="/task base_gas_trend", says="One task, with its last runs."),
    Scene(name="learning", line="/task base_gas_trend chart", says="What its runs measured."),
    Scene(name="resources", line="/resources", says="What each role uses of the machine."),
    Scene(name="use", line="/resources use", says="What is used, and what will be spent."),
    Scene(name="trend", line="/resources trend", says="What is nearest to its bound."),
    Scene(name="reports", line="/reports", says="The menu of reports, pictures and files."),
    Scene(name="daily", line="/daily", says="A day with its costs, and whether all books agree."),
    Scene(name="performance", line="/performance pair 30", says="Profit by pair."),
    Scene(name="settings", line="/config", says="The settings in force; secrets are hidden."),
    Scene(name="files", line="/reload", says="Settings in the files that wait for your word."),
    Scene(name="equity", line="/chart equity", says="Profit, and how far it is below its peak."),
    Scene(name="expected", line="/chart expected", says="Planned and realised by route."),
    Scene(name="funnel", line="/chart funnel", says="From found to won."),
    Scene(name="latency", line="/chart latency", says="How long each step takes."),
    Scene(name="heatmap", line="/chart spreads", says="Gaps between all venues."),
    Scene(name="map", line="/chart map", says="Who quotes what: liquidity and freshness."),
)

SETTINGS: Final = FrontEndSettings(
    has_authenticator=True,
    in_force=(
        SettingInForce(section="limits", name="position_usd", value="250", is_default=False),
        SettingInForce(
            section="markets",
            name="source",
            value="live",
            is_default=False,
            origin=".env, line 3",
        ),
        SettingInForce(section="telegram", name="bot_token", value="set", is_default=False),
        SettingInForce(section="paper", name="seed", value="7", is_default=True),
    ),
)


async def answer_of(line: str, facade: FakeFacade) -> tuple[Answer, Invocation | None]:
    """Return what a line is answered, and what was asked if it is a command."""
    asked = read_line(line)
    if isinstance(asked, Refused):
        return asked.answer, None
    dispatcher = Dispatcher(facade=facade, settings=SETTINGS, clock=lambda: NOW_NS)
    return await dispatcher.carry_out(asked, by="telegram:4242"), asked


async def message_of(scene: Scene, *, draw_chart: DrawChart | None, theme: Theme) -> dict[str, Any]:
    """Return a scene as the record of one message; without `draw_chart` it has no picture."""
    facade = FakeFacade()
    scene.prepare(facade)
    if scene.notice is not None:
        screen = render_notice(StampedNotice(seq=1_042, notice=scene.notice))
        return shown(Answer(screen=screen, buttons=buttons_of(scene.notice)), None)
    if not scene.line:
        return _card(facade)
    answer, asked = await answer_of(scene.line, facade)
    photo = None
    if answer.chart is not None and draw_chart is not None:
        photo = await draw_chart(answer.chart, theme)
    return shown(answer, asked, page=scene.page, photo=photo)


def shown(
    answer: Answer, asked: Invocation | None, *, page: int = 1, photo: bytes | None = None
) -> dict[str, Any]:
    """Return an answer as the record of the message that the phone shows."""
    is_place = asked is not None and asked.is_screen
    if is_place and not (answer.chart or answer.document or answer.confirmation):
        assert asked is not None
        place = Place(Spot(page, asked.line))
        shown_page = show_page(answer, place=place, parent=asked.entry.parent, now_ns=NOW_NS)
        buttons = [
            [{"text": key.label, "style": "danger" if key.is_alarming else None} for key in row]
            for row in shown_page.keys
        ]
        return _message(write_html(shown_page.answer.screen)[0], buttons)
    rows = answer.buttons
    menu = make_menu(rows)
    buttons = [
        [{"text": key.text, "style": key.style} for key in row]
        for row in (() if menu is None else menu.inline_keyboard)
    ]
    if answer.confirmation is not None:
        second = [(answer.confirmation.action, "success"), ("Leave it", None)]
        buttons = [[{"text": text, "style": style} for text, style in second]]
    return _message(write_html(answer.screen)[0], buttons, photo)


def _card(facade: FakeFacade) -> dict[str, Any]:
    status = samples.status(mode=facade.mode)
    facts = CardFacts(
        status=status,
        limits=samples.limits(),
        exposure=samples.exposure(),
    )
    screen = render_card(facts)
    screen = replace(screen, note=f"valid until 14:16:50, {screen.note}")
    return shown(Answer(screen=screen, buttons=card_buttons(facts)), None)


def _message(
    html: str, buttons: list[list[dict[str, Any]]], photo: bytes | None = None
) -> dict[str, Any]:
    text, spans = parse_html(html)
    return {
        "is_bot": True,
        "date": NOW_NS // 1_000_000_000,
        "text": text,
        "spans": [[span.kind, span.offset, span.length] for span in spans],
        "buttons": buttons,
        "photo": None if photo is None else base64.b64encode(photo).decode(),
        "document": None,
        "edits": 0,
    }


def phone_of(message: dict[str, Any], *, theme: Theme) -> Phone:
    """Return a phone that shows one message, no higher than that needs."""
    record = {"bot": {"first_name": "Syndicate"}, "messages": [message]}
    palette = PALETTES[theme]
    height = Phone(record, palette=palette).content_height()
    return Phone(record, palette=palette, height=height)


def draw(message: dict[str, Any], *, theme: Theme) -> Image.Image:
    """Draw a message with so few colours that a page can hold it."""
    colors = _PHOTO_COLORS if message["photo"] is not None else _COLORS
    small = small_picture(message, theme=theme)
    return small.quantize(colors, kmeans=2, dither=Image.Dither.NONE)


def small_picture(message: dict[str, Any], *, theme: Theme) -> Image.Image:
    """Draw a message in the size that a page shows, in all its colours."""
    picture = phone_of(message, theme=theme).picture()
    scale = _SIZE[message["photo"] is not None]
    size = (int(WIDTH * scale), int(picture.height / SCALE * scale))
    return picture.resize(size, Image.Resampling.LANCZOS)


def page() -> str:
    """Return the page that shows all of them."""
    parts = [
        "# The screens",
        "",
        "Every screen of the chat as a phone shows it, made of sample figures by `make pictures`;",
        "a test holds each to twelve lines and its buttons to their width. A browser that prefers",
        "dark shows the dark ones. What they mean is in the [guide](../operators-guide.md).",
    ]
    for scene in SCENES:
        typed = f" `{scene.line}`" if scene.line else ""
        parts += [
            "",
            f"## {scene.name.capitalize()}{typed}",
            "",
            scene.says,
            "",
            "<picture>",
            f'<source media="(prefers-color-scheme: dark)" srcset="{scene.name}-dark.png">',
            f'<img src="{scene.name}-light.png" alt="{scene.says}">',
            "</picture>",
        ]
    return "\n".join(parts) + "\n"


async def write_guide(directory: Path) -> None:
    """Write all pictures."""
    charts = ChartDrawer(None)
    for scene in SCENES:
        for theme in Theme:
            message = await message_of(scene, draw_chart=charts.draw, theme=theme)
            path = directory / f"{scene.name}-{theme}.png"
            draw(message, theme=theme).save(path, optimize=True)
            print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(write_guide(target))
    (target / "README.md").write_text(page(), encoding="utf-8")

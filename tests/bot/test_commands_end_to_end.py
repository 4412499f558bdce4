"""Every command of the table, from the phone to the engine and back, over HTTP."""

import csv
import io
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bot.command_table import COMMANDS
from bot.render.market import SHOWN_MAX
from engine.bus.command import digest_of
from engine.domain.modes import Mode
from engine.domain.switched_off import PlaceKind
from engine.requests.fees import SetFee
from engine.requests.limits import SetLimit
from engine.requests.money import GetExport, GetPnl, GetTrades
from engine.requests.overview import GetOpportunities
from engine.requests.places import SwitchOn
from engine.requests.safety import Kill, Pause, ResetBalance, Resume, SetMode, Unkill
from tests.bot import samples
from tests.bot.conftest import Chat
from tests.bot.fake_facade import CODE

EXAMPLES = {
    "start": ("/start", "Syndicate"),
    "help": ("/help", "Commands"),
    "status": ("/status", "Observe: running"),
    "venues": ("/venues", "18 of 24 books live"),
    "opportunities": ("/opportunities", "Opportunities: 1 open"),
    "spreads": ("/spreads", "best net -0.300%"),
    "why": ("/why r7-12", "r7-12 BTC-USD"),
    "token": ("/token MOON", "MOON on base: refused"),
    "discoveries": ("/discoveries tips", "2 found: tips"),
    "trades": ("/trades 3", "last 3 of 31"),
    "pnl": ("/pnl 7", "PnL, last 7 days"),
    "balance": ("/balance", "Balance: $20,012.81 now"),
    "inventory": ("/inventory paper", "Inventory: $20,012.81 paper"),
    "transfer": ("/transfer", "Transfers: 1 under way"),
    "wallets": ("/wallets", "Wallet: open"),
    "tx": ("/tx 3", "Transactions: 31, 2 not final"),
    "orders": ("/orders 3", "Orders: 38, 1 open"),
    "order": ("/order r7-15-p-o1", "Order at Binance"),
    "balances": ("/balances", "Venues: 1 of 2 take orders"),
    "fees": ("/fees", "Fees of our tier"),
    "truth": ("/truth", "Truth: 31 trades, 7 days"),
    "allowances": ("/allowances", "Allowances: 2, 1 unlimited"),
    "contract": ("/contract", "Contract: 1 of 1 chains ready"),
    "export": ("/export trades 5", "Export: trades, last 5 days"),
    "limits": ("/limits", "Limits"),
    "reload": ("/reload", "Go by what the files say?"),
    "limit": ("/limit position_usd 250", "position_usd is 250"),
    "venue": ("/venue", "Venues: 4 on, 1 off"),
    "pair": ("/pair BTC-USD off", "pair BTC-USD off"),
    "fee": ("/fee", "Taker fees: 1 of 4 set by you"),
    "pause": ("/pause", "Paused"),
    "resume": ("/resume", "Resume?"),
    "kill": ("/kill it looks wrong", "Killed"),
    "unkill": (f"/unkill {CODE}", "The kill latch is cleared"),
    "mode": ("/mode paper", "Go up to mode paper?"),
    "system": ("/system", "System: "),
    "health": ("/health", "Health: 15 of 18 well, 2 down"),
    "incident": ("/incident 7", "Incident 7: open"),
    "config": ("/config", "Settings: "),
    "reports": ("/reports", "Reports"),
    "daily": ("/daily", "Day 2026-09-21: +$12.35"),
    "report": ("/report week", "Last 7 days: +$12.35"),
    "chart": ("/chart funnel", "From found to won, 7 days"),
    "performance": ("/performance pair 30", "By pair, 30 days: +$12.35"),
    "audit": ("/audit", "Audit: 128 acts, whole"),
    "drill": ("/drill kill", "Drill: the kill works"),
    "cancel": ("/cancel", "nothing waits any more"),
    "approvals": ("/approvals", "Each is approved below"),
    "approve": ("/approve 0123456789ab", "Approved, and on its way"),
    "reject": ("/reject 0123456789ab", "Rejected"),
    "half": ("/half 0123456789ab", "Half of it is asked for"),
    "snooze": ("/snooze 0123456789ab", "15 min"),
    "mandate": ("/mandate BTC-USD 500 10m", "Grant a mandate?"),
    "mandates": ("/mandates", "Mandates: 1 open"),
    "revoke": ("/revoke m1", "1 mandates revoked"),
    "flatten": ("/flatten", "Left over: 3, 1 to close"),
    "positions": ("/positions", "Open: 1 plans, 2 leftovers"),
    "chains": ("/chains", "Chains: 1 of 2 are followed well"),
    "pools": ("/pools", "Pools: 2 live, 1 stale"),
    "agents": ("/agents", "Agents: 3 with 5 tasks"),
    "tasks": ("/tasks", "Tasks: 1 run, 1 wait, 1 quarantined, 1 off"),
    "task": ("/task base_gas_trend", "199 of 200 well"),
    "resources": ("/resources", "Resources: 536 MB in 7 processes"),
    "gas": ("/gas", "Gas: 2 of 3 chains can be paid"),
    "exposure": ("/exposure", "If I die now: $514.02 is open"),
    "trade": ("/trade r7-12", "r7-12 BTC-USD: +$1.17"),
    "log": ("/log", "Log: no warning and no error"),
    "version": ("/version", "Syndicate 0.1.0"),
    "alerts": ("/alerts", "No alert fires"),
    "ack": ("/ack venue:gemini", "No alert is named venue:gemini"),
    "hush": ("/hush venue:gemini 4h", "No alert is named venue:gemini"),
    "mute": ("/mute venue 2h", "Muted: venue"),
    "unmute": ("/unmute venue", "Told again: venue"),
    "threshold": ("/threshold limit 5", "told from the 5. time on"),
    "quiet": ("/quiet 23-07", "Quiet hours: 23-07"),
}


@pytest.mark.parametrize("name", [entry.name for entry in COMMANDS])
async def test_every_command_of_the_table_answers(chat: Chat, name: str) -> None:
    line, expected = EXAMPLES[name]

    async with chat.start():
        text = await chat.say(line)

    assert expected in text
    assert chat.facade.undone() == []


async def test_every_alias_works_like_its_command(chat: Chat) -> None:
    async with chat.start():
        for entry in COMMANDS:
            for alias in entry.aliases:
                assert EXAMPLES[entry.name][1] in await chat.say(f"/{alias}")


async def test_the_menu_of_the_chat_is_the_table(chat: Chat) -> None:
    async with chat.start():
        await chat.emulator.wait_until(lambda: chat.emulator.menu_button is not None)

    assert [c["command"] for c in chat.emulator.commands] == [entry.name for entry in COMMANDS]


async def test_figures_say_where_they_come_from(chat: Chat) -> None:
    async with chat.start():
        for line in ("/status", "/venues", "/opportunities", "/why r7-12", "/limits", "/mode"):
            text = await chat.say(line)
            assert text.endswith("sandbox markets, paper money")
            assert samples.NOTE not in text
        for line in ("/trades", "/pnl"):
            assert "sandbox markets, paper money" in await chat.say(line)
        for line in ("/start", "/help sandbox"):
            assert samples.NOTE in await chat.say(line)


async def test_the_time_zone_of_the_settings_is_that_of_every_time_in_the_chat(chat: Chat) -> None:
    async with chat.start_with(time_zone="Asia/Kolkata"):
        for line in ("/version", "/why r7-12"):
            assert " IST" in await chat.say(line)
        chat.facade.tell(samples.killed())
        await chat.emulator.wait_until(lambda: " IST, sandbox" in chat.emulator.transcript()[-1])


async def test_the_status_tells_the_memory_of_roles_that_the_engine_does_not_know_of(
    chat: Chat,
) -> None:
    known = samples.status().memory_mb

    async with chat.start_with(read_memory_mb=lambda: {"sandbox": 100.0}):
        text = await chat.say("/status")

    assert f"{sum(known.values()) + 100:.0f} MB in {len(known) + 1} roles" in text


async def test_the_status_stands_while_the_ledger_is_away(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/version")
        chat.facade.is_ledger_away = True
        text = await chat.say("/status")

    assert "This run +$12.35" in text
    assert "All days the ledger is away" in text


async def test_pnl_comes_with_a_portrait_picture(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/pnl")

    photo = chat.emulator.chats.from_bot()[-1].photo
    assert photo is not None
    width, height = (int.from_bytes(photo[at : at + 4]) for at in (16, 20))
    assert (width, height) == (1080, 1350)
    assert GetPnl(days=1) in chat.facade.asked


async def test_an_id_may_be_written_in_any_case(chat: Chat) -> None:
    async with chat.start():
        assert "r7-12 BTC-USD" in await chat.say("/why R7-12")


async def test_why_without_an_id_shows_the_newest(chat: Chat) -> None:
    async with chat.start():
        assert "r7-12 BTC-USD" in await chat.say("/why")


@pytest.mark.parametrize(("line", "count"), [("/opportunities", 6), ("/trades", 6)])
async def test_every_line_of_a_list_has_a_button_to_its_decision(
    chat: Chat, line: str, count: int
) -> None:
    async with chat.start():
        text = await chat.say(line)
        screen = chat.emulator.chats.from_bot()[-1]
        labels = []
        while True:
            here = [button["text"] for row in screen.buttons for button in row]
            labels += [label for label in here if label.startswith("Why")]
            assert all(f"\n{label.partition(' ')[2]} " in screen.text for label in labels[-1:])
            following = [label for label in here if "›" in label]
            if not following:
                break
            edits = screen.edits
            chat.emulator.person_taps(following[0])
            await chat.emulator.wait_until(lambda edits=edits: screen.edits > edits)  # type: ignore[misc]
        assert "\n1 " in text
        await chat.say(line)
        chat.emulator.person_taps("Why 1")
        await chat.emulator.wait_until(lambda: "r7-12 BTC-USD" in chat.emulator.transcript()[-1])

    assert labels == [f"Why {number}" for number in range(1, count + 1)]


async def test_the_newest_opportunities_are_a_choice_and_lead_back(chat: Chat) -> None:
    async with chat.start():
        assert "Opportunities: 1 open" in await chat.say("/opportunities newest")
        screen = chat.emulator.chats.from_bot()[-1]
        labels = [button["text"] for row in screen.buttons for button in row]
        edits = screen.edits
        chat.emulator.person_taps("Most worth")
        await chat.emulator.wait_until(lambda: screen.edits > edits)

    assert "Most worth" in labels
    asked = [one for one in chat.facade.asked if isinstance(one, GetOpportunities)]
    assert asked == [
        GetOpportunities(limit=SHOWN_MAX, is_newest_first=is_newest) for is_newest in (True, False)
    ]


async def test_spreads_come_as_a_picture_on_request(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/spreads")
        assert chat.emulator.chats.from_bot()[-1].photo is None
        chat.emulator.person_taps("Picture")
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 2)

    photo = chat.emulator.chats.from_bot()[-1].photo
    assert photo is not None
    assert tuple(int.from_bytes(photo[at : at + 4]) for at in (16, 20)) == (1080, 1350)


@pytest.mark.parametrize("line", ["/why r7-12", "/why"])
async def test_the_story_of_a_trade_comes_as_a_picture_on_request(chat: Chat, line: str) -> None:
    chat.facade.why = replace(chat.facade.why, story=samples.story())
    async with chat.start():
        await chat.say(line)
        assert chat.emulator.chats.from_bot()[-1].photo is None
        chat.emulator.person_taps("Picture")
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 2)
        assert "r7-12 BTC-USD" in await chat.say(f"{line} picture")

    for told in chat.emulator.chats.from_bot()[-2:]:
        assert told.photo is not None
        assert tuple(int.from_bytes(told.photo[at : at + 4]) for at in (16, 20)) == (1080, 1350)


async def test_a_decision_that_is_no_trade_offers_no_picture(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/why r7-12 picture")
        await chat.say("/why r7-12")

    for told in chat.emulator.chats.from_bot():
        assert told.photo is None
        assert "Picture" not in str(told.buttons)


async def test_balance_shows_each_place_its_shift_what_is_reserved_and_the_return(
    chat: Chat,
) -> None:
    async with chat.start():
        text = await chat.read("/balance")

    assert "Capital at start  $20,000.00" in text
    assert "Return, last day  +0.06% (+$11.80)" in text
    assert "Moved since start 36%" in text
    assert "· USD    312.3    312  -94%" in text
    assert "coinbase: 50.12 USD" in text
    assert "Used up: USD at coinbase. /balance reset sets all back." in text


async def test_balance_comes_as_a_picture_on_request(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/balance")
        chat.emulator.person_taps("Picture")
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 2)

    photo = chat.emulator.chats.from_bot()[-1].photo
    assert photo is not None
    assert tuple(int.from_bytes(photo[at : at + 4]) for at in (16, 20)) == (1080, 1350)


async def test_paper_money_is_set_back_in_two_steps(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/balance reset")
        assert chat.facade.effects == []
        chat.emulator.person_taps("Set it back")
        await chat.facade.wait_until_entered(ResetBalance, 2)

    assert chat.facade.effects == ["balance reset"]


async def test_export_comes_as_a_csv_document(chat: Chat) -> None:
    async with chat.start():
        text = await chat.say("/export trades 5")

    document = chat.emulator.chats.from_bot()[-1].document
    assert document is not None
    name, content = document
    assert name == "trades.csv"
    assert next(csv.DictReader(io.StringIO(content.decode())))["profit_usd"] == "0.42"
    assert "SHA-256" in text
    assert GetExport(table="trades", days=5) in chat.facade.asked


async def test_arguments_reach_the_engine(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/trades 3")
        await chat.say("/kill it looks wrong")

    assert GetTrades(limit=3) in chat.facade.asked
    kills = [one for one in chat.facade.asked if isinstance(one, Kill)]
    assert [(one.why, one.sealed.by) for one in kills] == [("it looks wrong", "telegram:4242")]


async def test_the_bare_word_kill_sets_the_latch(chat: Chat) -> None:
    async with chat.start():
        await chat.say("KILL")

    assert chat.facade.is_killed


@pytest.mark.parametrize(
    "line",
    ["/kill!", "/kill.", "kill it", "KILL", "Kill. Now", "/k", "/K.", "/kill@syn_bot, now",
     "“kill”", "/kill-all", "\\kill", "/ kill"],
)  # fmt: skip
async def test_whatever_begins_with_kill_sets_the_latch(chat: Chat, line: str) -> None:
    async with chat.start():
        assert "Killed" in await chat.say(line)

    assert chat.facade.is_killed


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("/staus", ["/status", "Help status"]),
        ("/skill", ["Help kill"]),
        ("/skip", ["/task", "Help task"]),
        ("/kick", ["Help ack"]),
        ("/unkil", ["Help unkill"]),
        ("hello", ["Help"]),
        ("/mode pape", ["/mode paper", "Help mode"]),
        ("/trades 51", ["Help trades"]),
        ("/kil", ["KILL", "Help kill"]),
    ],
)
async def test_a_typo_offers_the_near_command_and_help_and_never_another_ones_kill(
    chat: Chat, line: str, labels: list[str]
) -> None:
    async with chat.start():
        await chat.say(line)

    (row,) = chat.emulator.chats.from_bot()[-1].buttons
    assert [button["text"] for button in row] == labels
    assert chat.facade.effects == []


@pytest.mark.parametrize("line", ["/status.", "/status!", "/pause. ", "/mode observe."])
async def test_what_a_phone_adds_to_a_command_does_not_spoil_it(chat: Chat, line: str) -> None:
    async with chat.start():
        assert "Did you mean" not in await chat.say(line)


@pytest.mark.parametrize(
    "line",
    [
        "/kill",
        "/pause",
        "/mode observe",
        "/venue gemini off",
        "/pair BTC-USD off",
        "/fee gemini 41",
    ],
)
async def test_protective_commands_take_one_step(chat: Chat, line: str) -> None:
    chat.facade.mode = Mode.PAPER

    async with chat.start():
        await chat.say(line)

    assert len(chat.facade.effects) == 1


@pytest.mark.parametrize(
    ("line", "button", "command"),
    [
        ("/resume", "Resume", Resume()),
        (
            "/mode paper",
            "Go to paper",
            SetMode(mode=Mode.PAPER, is_confirmed=True),
        ),
        (
            "/limit position_usd 900",
            "Set position_usd to 900",
            SetLimit(name="position_usd", value=Decimal(900), is_confirmed=True),
        ),
        (
            "/venue gemini on",
            "Switch gemini on",
            SwitchOn(kind=PlaceKind.VENUE, name="gemini", is_confirmed=True),
        ),
        (
            "/fee gemini 12.5",
            "Set it to 12.5 bps",
            SetFee(venue="gemini", bps=Decimal("12.5"), is_confirmed=True),
        ),
        (
            "/fee gemini reset",
            "Set it to the settings",
            SetFee(venue="gemini", bps=None, is_confirmed=True),
        ),
    ],
)
async def test_loosening_takes_a_second_step(
    chat: Chat, line: str, button: str, command: Resume | SetMode | SetLimit | SwitchOn | SetFee
) -> None:
    async with chat.start():
        await chat.say(line)
        assert chat.facade.effects == []
        await chat.tap(button)
        await chat.emulator.wait_until(lambda: chat.emulator.chats.from_bot()[-1].edits == 1)

    asked = [one for one in chat.facade.asked if isinstance(one, type(command))][-1]
    envelope = asked.envelope
    assert replace(asked, envelope=None) == command
    assert envelope is not None
    assert (envelope.by, envelope.digest) == ("telegram:4242", digest_of(command))
    assert envelope.expires_at_ns is not None
    assert len(chat.facade.effects) == 1
    assert "c:" not in str(chat.emulator.chats.from_bot()[-1].buttons)


async def test_an_allowance_is_revoked_by_a_tap_and_a_second_step_alone(chat: Chat) -> None:
    async with chat.start():
        shown = await chat.say("/allowances")
        assert "1 USDC base UNLIMITED" in shown
        await chat.tap("Revoke 1…")
        await chat.emulator.wait_until(
            lambda: "Revoke USDC" in chat.emulator.chats.from_bot()[-1].text
        )
        assert chat.facade.effects == []
        await chat.tap("Revoke on base")
        await chat.emulator.wait_until(lambda: bool(chat.facade.effects))
        assert "No allowance 00 holds now" in await chat.say("/allowances revoke 00")

    assert chat.facade.effects == [f"revoke USDC 0x{'77' * 20}"]


async def test_the_contract_is_paused_by_a_second_step_alone(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/contract pause base")
        assert chat.facade.effects == []
        await chat.tap("Pause the contract on base")
        await chat.emulator.wait_until(lambda: chat.emulator.chats.from_bot()[-1].edits == 1)
        assert chat.facade.effects == ["pause contract base"]
        assert "no contract on bose in this run" in await chat.say("/contract pause bose")

    assert chat.facade.effects == ["pause contract base"]


async def test_the_contract_runs_again_by_a_second_step_that_says_whose_word_it_takes(
    chat: Chat,
) -> None:
    async with chat.start():
        said = " ".join((await chat.read("/contract unpause base")).split())
        assert chat.facade.effects == []
        assert "Let the contract on base run again?" in said
        assert "Its owner signs it: 0x98c3…6461 is." in said
        await chat.tap("Let base run")
        await chat.emulator.wait_until(lambda: chat.emulator.chats.from_bot()[-1].edits == 1)

    assert chat.facade.effects == ["unpause contract base"]


async def test_open_orders_are_cancelled_after_it_was_asked_once_more(chat: Chat) -> None:
    async with chat.start():
        assert "Cancel all that is open?" in await chat.read("/orders cancel")
        assert chat.facade.effects == []
        await chat.tap("Cancel all that is open")
        await chat.emulator.wait_until(lambda: chat.facade.effects == ["cancel orders"])


async def test_what_a_halted_venue_shows_is_taken_by_a_second_step(chat: Chat) -> None:
    async with chat.start():
        assert "no venue krakn in this run" in await chat.say("/balances adopt krakn")
        said = " ".join((await chat.read("/balances adopt kraken")).split())
        assert "Take what Kraken shows as what is so?" in said
        assert chat.facade.effects == []
        await chat.tap("Let orders go to kraken")
        await chat.emulator.wait_until(lambda: chat.facade.effects == ["adopt kraken"])


async def test_a_declined_second_step_changes_nothing(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/resume")
        await chat.tap("Leave it")

    assert chat.facade.effects == []


async def test_a_used_code_clears_the_latch_only_once(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/kill")
        await chat.say(f"/unkill {CODE}")
        await chat.say("/kill")
        text = await chat.say(f"/unkill {CODE}")

    assert "wrong or was used" in text
    assert chat.facade.is_killed
    assert chat.facade.count(Unkill) == 2


async def test_menu_buttons_run_their_command(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        await chat.say("/mode paper")
        await chat.tap("Go to paper")
        await chat.say("/status")
        for label in ("Pause", "KILL"):
            before = len(chat.emulator.transcript())
            chat.emulator.person_taps(label)
            await chat.emulator.wait_until(
                lambda before=before: len(chat.emulator.transcript()) > before  # type: ignore[misc]
            )

    assert chat.facade.effects == ["mode paper", "pause", "kill asked by the operator"]
    assert chat.facade.count(Pause) == 1


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("/staus", "Did you mean /status ?"),
        ("/kil", "Did you mean /kill ?"),
        ("hello", "/help shows what I know"),
        ("/trades 1e3", "a whole number from 1 to 50"),
        ("/trades ١٢", "a whole number from 1 to 50"),
        ("/trades -1", "a whole number from 1 to 50"),
        ("/trades 51", "a whole number from 1 to 50"),
        ("/trades 5 5", "one argument too many"),
        ("/pnl 1,000", "a whole number from 1 to 365"),
        ("/mode 7", "one of observe, paper"),
        ("/mode pape", "Did you mean /mode paper ?"),
        ("/export trade", "Did you mean /export trades ?"),
        (
            "/export",
            "opportunities|notices|approvals|mandates|audit> is missing",
        ),
        ("/why ../../x", "is not valid"),
        ("/limit position_usd", "<value> is missing"),
        ("/fee gemini 0.1%", "0.1% is no fee in bps: a number, as 10 for 0.1 %"),
        ("/fee gemini NaN", "NaN is no fee in bps"),
        ("/fee gemini Infinity", "Infinity is no fee in bps"),
        ("/fee gemini maker 5", "no maker fee is reckoned with"),
        ("/venue gemnii", "no venue gemnii in this run; did you mean gemini?"),
        ("/pair DOGE-EUR", "no pair DOGE-EUR in this run"),
        ("/fee gemin", "no fee of gemin in this run; did you mean gemini?"),
        ("/venue gemini of", "Did you mean /venue gemini off ?"),
        ("/venue gemin off", "no venue gemin"),
        ("/status now", "one argument too many"),
        ("/why r9-9", "Unknown: opportunity r9-9"),
    ],
)
async def test_what_is_not_understood_does_nothing_and_says_what_would_be(
    chat: Chat, line: str, hint: str
) -> None:
    async with chat.start():
        text = await chat.say(line)

    assert hint in text
    assert chat.facade.effects == []


async def test_a_message_without_text_is_answered_and_does_nothing(chat: Chat) -> None:
    async with chat.start():
        chat.emulator.person_writes(None, fields={"dice": {"emoji": "🎲", "value": 3}})
        await chat.emulator.wait_until(
            lambda: "I read only text" in str(chat.emulator.transcript())
        )

    assert chat.facade.effects == []


async def test_help_knows_every_command_and_topic(chat: Chat) -> None:
    async with chat.start():
        for entry in COMMANDS:
            assert entry.usage in await chat.say(f"/help {entry.name}")
            assert entry.usage in await chat.read(f"/help {entry.topic}")


async def test_a_chart_that_cannot_be_drawn_leaves_the_text(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.charts.DRAW_S_MAX", 0.01)

    async with chat.start():
        text = await chat.say("/pnl")

    assert "PnL, last day" in text
    assert chat.emulator.chats.from_bot()[-1].photo is None


@pytest.mark.parametrize("line", ["/status", "/start", "/mode", "/mode observe", "/pause",
                                  "/resume", "/mode paper", "/kill", "/unkill 000000"])  # fmt: skip
async def test_while_killed_nothing_says_running_and_killed_comes_first(
    chat: Chat, line: str
) -> None:
    chat.facade.is_killed = True

    async with chat.start():
        said = [await chat.say(line)]
        for row in chat.emulator.chats.from_bot()[-1].buttons:
            if row[0]["text"] in {"Resume", "Go to paper"}:
                await chat.tap(row[0]["text"])
                await chat.emulator.wait_until(
                    lambda: chat.emulator.chats.from_bot()[-1].edits == 1
                )
                said.append(chat.emulator.transcript()[-1])

    for text in said:
        assert "running" not in text.lower()
        first = text.splitlines()[1 if line == "/start" else 0]
        assert "KILLED" in first or line.startswith("/unkill")


@pytest.mark.parametrize(
    ("has_authenticator", "steps"),
    [(True, "send /unkill and its six digits"), (False, "run make unkill and type clear")],
)
async def test_a_kill_says_how_to_come_back(
    chat: Chat, *, has_authenticator: bool, steps: str
) -> None:
    async with chat.start_with(has_authenticator=has_authenticator):
        assert steps in await chat.say("/kill")
        chat.facade.is_engine_away = True
        assert steps in await chat.say("/kill")


async def test_the_first_screen_offers_an_authenticator_where_none_is_set_up(chat: Chat) -> None:
    async with chat.start():
        assert "make enroll" in await chat.say("/start")
    async with chat.start_with(has_authenticator=True):
        assert "make enroll" not in await chat.say("/start")

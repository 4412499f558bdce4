"""The table is the one source: names, help, documentation and kinds agree."""

from pathlib import Path

import pytest

from bot.command import Kind, Topic
from bot.command_table import COMMANDS, find
from bot.docs import PAGE, main
from bot.render.docs import render_docs

REQUIRED = {
    *("start", "help", "status", "venues", "opportunities", "why", "trades", "pnl", "limits"),
    *("spreads", "balance", "inventory", "gas", "chains", "pools", "discoveries"),
    *("wallets", "tx", "truth", "contract", "allowances"),
    *("orders", "order", "balances", "fees", "flatten", "transfer"),
    *("agents", "tasks", "task", "resources"),
    *("alerts", "ack", "hush", "mute", "unmute", "threshold", "quiet"),
    *("system", "config", "reports", "health", "incident"),
    *("daily", "report", "performance", "chart", "positions", "exposure", "trade", "log"),
    *("approvals", "approve", "reject", "half", "snooze", "mandate", "mandates", "revoke"),
    *(
        "pause",
        "resume",
        "kill",
        "unkill",
        "mode",
        "limit",
        "reload",
        "token",
        "venue",
        "pair",
        "fee",
        "cancel",
        "audit",
        "drill",
        "export",
        "version",
    ),
}


def test_the_generated_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_docs(COMMANDS), "run: python -m bot.docs"


def test_a_page_behind_the_table_is_named_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "commands.md"
    page.write_text(render_docs(COMMANDS[1:]), encoding="utf-8")

    status = main(["--check"], page)

    assert status == 1
    assert "docs/commands.md" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == render_docs(COMMANDS[1:])
    assert main([], page) == main(["--check"], page) == 0


def test_all_commands_of_the_product_are_there() -> None:
    assert {entry.name for entry in COMMANDS} == REQUIRED


def test_no_name_or_alias_stands_twice() -> None:
    names = [name for entry in COMMANDS for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))
    assert all(find(name) is not None for name in names)


def test_short_help_fits_a_menu_row() -> None:
    for entry in COMMANDS:
        assert 1 <= len(entry.short_help) <= 38
        assert entry.long_help
        assert entry.topic in Topic


def test_kinds_of_what_touches_the_engine_are_what_the_operator_relies_on() -> None:
    assert {e.name for e in COMMANDS if e.kind is Kind.PROTECTIVE and e.tightens} == {
        *("kill", "pause", "cancel", "reject", "snooze", "revoke")
    }
    assert {e.name for e in COMMANDS if e.kind is Kind.PROTECTIVE and not e.tightens} == {
        *("ack", "hush", "mute", "unmute", "threshold", "quiet")
    }
    assert {e.name for e in COMMANDS if e.kind is Kind.CHANGE} == {
        *("resume", "unkill", "mode", "limit", "reload", "drill", "approve", "half", "mandate")
    }

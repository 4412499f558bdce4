"""THE list of commands: it feeds dispatch, menus, help, docs/commands.md and the tests.

A command is one entry in a file of `bot/commands`, beside its handler, and one line here.
"""

from bot.command import CommandEntry
from bot.commands import (
    alerts,
    allowances,
    approvals,
    audit,
    balance,
    chains,
    charts,
    discoveries,
    drill,
    fee,
    flatten,
    gas,
    inventory,
    life,
    limit,
    market,
    money,
    orders,
    overview,
    places,
    reports,
    safety,
    system,
    token,
    truth,
    wallets,
    work,
)

COMMANDS: tuple[CommandEntry, ...] = (
    overview.START,
    overview.HELP,
    overview.STATUS,
    system.SYSTEM,
    overview.VENUES,
    life.LOG,
    work.AGENTS,
    work.TASKS,
    work.TASK,
    work.RESOURCES,
    gas.GAS,
    chains.CHAINS_COMMAND,
    chains.POOLS_COMMAND,
    market.OPPORTUNITIES,
    market.SPREADS,
    market.WHY,
    token.TOKEN,
    discoveries.DISCOVERIES,
    money.TRADES,
    life.TRADE,
    money.PNL,
    balance.BALANCE,
    inventory.INVENTORY,
    life.POSITIONS,
    flatten.FLATTEN,
    wallets.WALLETS,
    wallets.TX,
    orders.ORDERS,
    orders.ORDER,
    orders.BALANCES,
    orders.FEES,
    truth.TRUTH,
    wallets.CONTRACT,
    allowances.ALLOWANCES,
    reports.REPORTS,
    reports.DAILY,
    reports.REPORT,
    reports.PERFORMANCE,
    charts.CHART,
    money.EXPORT,
    safety.LIMITS,
    life.EXPOSURE,
    limit.LIMIT,
    places.VENUE,
    places.PAIR,
    fee.FEE,
    safety.PAUSE,
    safety.RESUME,
    safety.KILL,
    safety.UNKILL,
    safety.MODE,
    system.CONFIG,
    safety.CANCEL,
    approvals.APPROVALS,
    approvals.APPROVE,
    approvals.REJECT,
    approvals.HALF,
    approvals.SNOOZE,
    approvals.MANDATE,
    approvals.MANDATES,
    approvals.REVOKE,
    alerts.ALERTS,
    alerts.ACK,
    alerts.HUSH,
    alerts.MUTE,
    alerts.UNMUTE,
    alerts.THRESHOLD,
    alerts.QUIET,
    audit.AUDIT,
    drill.DRILL,
    overview.VERSION,
)


def names() -> tuple[str, ...]:
    """Return the name of every command."""
    return tuple(entry.name for entry in COMMANDS)


def find(name: str) -> CommandEntry | None:
    """Return the command with this name or alias."""
    for entry in COMMANDS:
        if name == entry.name or name in entry.aliases:
            return entry
    return None

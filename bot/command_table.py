"""THE list of commands: it feeds dispatch, menus, help, docs/commands.md and the tests."""

from bot.command import CommandEntry, Kind, Topic
from bot.commands import balance, market, money, overview, safety
from bot.grammar import Argument, Form

_DAYS_MAX = 365

COMMANDS: tuple[CommandEntry, ...] = (
    CommandEntry(
        name="start",
        topic=Topic.OVERVIEW,
        kind=Kind.READ,
        short_help="greeting, state and menu",
        long_help=("Shows in two lines how the engine stands, and the menu.",),
        handler=overview.start,
    ),
    CommandEntry(
        name="help",
        topic=Topic.OVERVIEW,
        kind=Kind.READ,
        short_help="commands, a topic, or one command",
        long_help=(
            "Without an argument: every command by topic.",
            "With a topic or a command: what it does and what it takes.",
        ),
        handler=overview.show_help,
        grammar=(Argument(name="topic or command", form=Form.REST),),
    ),
    CommandEntry(
        name="status",
        topic=Topic.OVERVIEW,
        kind=Kind.READ,
        short_help="mode, venues, counters, latency",
        long_help=(
            (
                "Shows mode, latch and pause, what was found and traded, the paper profit, the"
                " commonest refusal, latency from frame to decision, memory, and each venue."
            ),
        ),
        handler=overview.status,
        aliases=("s",),
    ),
    CommandEntry(
        name="venues",
        topic=Topic.MARKET,
        kind=Kind.READ,
        short_help="live books, age, rate, faults",
        long_help=(
            (
                "Shows for each venue how many of its books may be traded on, the age of the newest"
                " change, frames a second, resyncs and the commonest fault."
            ),
            "Below it stands what is out of every decision, and why.",
        ),
        handler=overview.venues,
    ),
    CommandEntry(
        name="opportunities",
        topic=Topic.MARKET,
        kind=Kind.READ,
        short_help="open and recent, and why not taken",
        long_help=(
            (
                "Shows open opportunities (filled dot) before recent ones: expected profit and net"
                " edge after costs, route, size, and what was decided."
            ),
        ),
        handler=market.opportunities,
        aliases=("opps", "o"),
    ),
    CommandEntry(
        name="spreads",
        topic=Topic.MARKET,
        kind=Kind.READ,
        short_help="gaps now, and how much is missing",
        long_help=(
            (
                "Shows the best gap of each pair between two venues now, whether or not it pays:"
                " gross, costs (fees and transfer), net, and how much a plan is short of; below it"
                " the nearest misses of the last hour."
            ),
            "With the word picture: all pairs by all venues as a heatmap.",
        ),
        handler=market.spreads,
        grammar=(Argument(name="form", form=Form.CHOICE, choices=("picture",)),),
    ),
    CommandEntry(
        name="why",
        topic=Topic.MARKET,
        kind=Kind.READ,
        short_help="one decision with all its numbers",
        long_help=(
            (
                "Shows an opportunity or a trade by its id: edges, the decision and its numbers,"
                " the legs as planned and filled, and the input frames that caused it."
            ),
            "Without an id: the newest one.",
            "With the word picture: a trade's way from found to realised, cause by cause.",
        ),
        handler=market.why,
        grammar=(
            Argument(name="id", form=Form.WORD),
            Argument(name="form", form=Form.CHOICE, choices=("picture",)),
        ),
    ),
    CommandEntry(
        name="trades",
        topic=Topic.MONEY,
        kind=Kind.READ,
        short_help="newest paper trades",
        long_help=("Shows the newest executions: profit realised of expected, and route.",),
        handler=money.trades,
        grammar=(Argument(name="n", form=Form.NUMBER, number_max=50),),
    ),
    CommandEntry(
        name="pnl",
        topic=Topic.MONEY,
        kind=Kind.READ,
        short_help="profit from fills, with a chart",
        long_help=(
            (
                "Shows realised paper profit over the last days against what was expected, by"
                " route, with a chart of the cumulative profit."
            ),
        ),
        handler=money.pnl,
        grammar=(Argument(name="days", form=Form.NUMBER, number_max=_DAYS_MAX),),
    ),
    CommandEntry(
        name="balance",
        topic=Topic.MONEY,
        kind=Kind.READ,
        short_help="paper money by venue and asset",
        long_help=(
            (
                "Shows what each venue holds of each asset, its worth now, and how far it has"
                " shifted from the start; what plans under way have reserved; and the realised"
                " profit as a return on the capital, of the last day and of all days."
            ),
            "With the word picture: all places as a heatmap.",
            (
                "With the word reset: every place is set back to its capital at the prices of now,"
                " after a second step."
            ),
        ),
        handler=balance.balance,
        aliases=("b",),
        grammar=(Argument(name="form", form=Form.CHOICE, choices=("picture", "reset")),),
        changes_when=balance.is_reset,
    ),
    CommandEntry(
        name="export",
        topic=Topic.MONEY,
        kind=Kind.READ,
        short_help="a table as a CSV file",
        long_help=(
            "Sends a table of the last days (30 by default) as a CSV file with its checksum.",
        ),
        handler=money.export,
        grammar=(
            Argument(
                name="table",
                form=Form.CHOICE,
                is_required=True,
                choices=("trades", "fills", "opportunities", "notices", "audit"),
            ),
            Argument(name="days", form=Form.NUMBER, number_max=_DAYS_MAX),
        ),
    ),
    CommandEntry(
        name="limits",
        topic=Topic.SAFETY,
        kind=Kind.READ,
        short_help="limits, their use, their refusals",
        long_help=("Shows each limit, how much of it is used now, and what it refused.",),
        handler=safety.limits,
    ),
    CommandEntry(
        name="pause",
        topic=Topic.SAFETY,
        kind=Kind.PROTECTIVE,
        short_help="stop making plans",
        long_help=(
            "Stops making plans until /resume; survives a restart.",
            "Pausing twice is the same as pausing once.",
        ),
        handler=safety.pause,
    ),
    CommandEntry(
        name="resume",
        topic=Topic.SAFETY,
        kind=Kind.CHANGE,
        short_help="make plans again, in two steps",
        long_help=(
            (
                "Asks for a second step, which counts once and for a short time; then plans are"
                " made again. It does not clear the kill latch."
            ),
        ),
        handler=safety.resume,
    ),
    CommandEntry(
        name="kill",
        topic=Topic.SAFETY,
        kind=Kind.PROTECTIVE,
        short_help="set the kill latch, at once",
        long_help=(
            (
                "Stops the engine and sets the kill latch before anything else is done, and says"
                " what each role has of it: no plan is made until"
                " it is cleared with /unkill, over any restart."
            ),
            "Any line that begins with the word kill does the same. A reason may follow.",
        ),
        handler=safety.kill,
        aliases=("k",),
        grammar=(Argument(name="why", form=Form.REST),),
    ),
    CommandEntry(
        name="unkill",
        topic=Topic.SAFETY,
        kind=Kind.CHANGE,
        short_help="clear the latch with a one-time code",
        long_help=("Clears the kill latch. The one-time code is the second step.",),
        handler=safety.unkill,
        is_on_buttons=False,
        grammar=(Argument(name="code", form=Form.CODE, is_required=True),),
    ),
    CommandEntry(
        name="mode",
        topic=Topic.SAFETY,
        kind=Kind.CHANGE,
        short_help="observe or paper",
        long_help=(
            "Without an argument: shows the mode.",
            "observe takes one step; paper lets the engine do more and asks for a second.",
        ),
        handler=safety.mode,
        grammar=(Argument(name="mode", form=Form.CHOICE, choices=("observe", "paper")),),
        protective_when=safety.is_mode_protective,
    ),
    CommandEntry(
        name="version",
        topic=Topic.OVERVIEW,
        kind=Kind.READ,
        short_help="version, commit, run",
        long_help=("Shows version, commit, run id and when the engine started.",),
        handler=overview.version,
    ),
)

NAMES: tuple[str, ...] = tuple(entry.name for entry in COMMANDS)


def find(name: str) -> CommandEntry | None:
    """Return the command with this name or alias."""
    for entry in COMMANDS:
        if name == entry.name or name in entry.aliases:
            return entry
    return None

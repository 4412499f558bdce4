"""Settings that the wiring hands to a front-end; a front-end reads no environment of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from engine.domain.engines import MAIN
from engine.domain.errors import FatalError
from engine.domain.people import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInForce:
    """A setting as it may be shown: of a secret, only whether it is set.

    Attributes:
        origin: where it is set: a file with its line, or the environment; empty at its default.
    """

    section: str
    name: str
    value: str
    is_default: bool
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndSettings:
    """What the chat needs to know; the token never appears in the representation.

    Attributes:
        engine_id: of the engine that this chat drives.
        read_engine_ids: looks on the disk which engines there are.
        telegram_people: who may write to the bot, the owner first.
        telegram_base_url, telegram_file_url: Bot API endpoints, up to where the token follows.
        telegram_pager_token: of a second bot, which takes only what protects; None for none.
        telegram_webhook_url: where Telegram posts updates to; None to poll for them.
        telegram_webhook_port: port of loopback to which a proxy hands them on.
        page_url: of the page that the chat's menu button opens; None for the list of commands.
        telegram_proxy: proxy through which the Bot API is reached, None for directly.
        opportunity_notice_usd_min: opportunities of at least this profit are told unasked.
        is_interactive: a person sits at a terminal (line editing, completion, prompt).
        export_directory: where the terminal writes what `/export` returns; None refuses.
        history_path: where the terminal keeps what was typed; None forgets it.
        chart_directory: where the terminal writes chart pictures; None shows only the sparkline.
        chart_cache_directory: writable directory for the font cache of the chart renderer.
        chart_theme: light or dark, where a command does not say.
        command_age_s_max: older commands that change something are refused.
        confirm_s: how long a second step stays valid.
        poll_s: long-poll time of getUpdates, whole seconds.
        send_s: longest wait for one Bot API call other than getUpdates.
        ask_s: longest wait for a report.
        token_refusals_max: so many refusals of the token in a row, which `getMe` confirms, close
            the chat; with the back-off between them they last about a minute.
        time_zone: IANA name of the zone in which times are shown.
        read_memory_mb: returns the resident memory of each role; may take some milliseconds.
        read_log: returns the newest warnings and errors, so many at most.
        tell_terminal: prints a line where the program was started.
        has_authenticator: `/unkill` works; else the latch is cleared on the host only.
        blind_s: so long without reaching the operator is told afterwards as a gap; the engine
            asks nothing then.
        blind_pause_s: after so long it pauses.
        sign_s: interval at which the chat tells the engine whether it reaches the operator.
        conflict_s: how long after the last 409 only protective commands are accepted.
        card_s: time between two looks of the pinned card; None for no card.
        eased: returns how long such a look waits while the machine is short.
        in_force: all settings of the installation, as they may be shown.
        chat_sends_per_s, chat_send_burst: pace of messages to one chat.
        alert_group_wait_s: what comes so soon after an alert is told with it.
        alert_edit_s: an alert's message is edited no sooner after it was last written.
        alert_look_s: longest time between two looks at what time makes due.
        health_s: interval of the looks whether engine and ledger answer.
        alert_urls: where critical alerts go that nobody acknowledges, as apprise writes them.
        ping_url: address of a watch outside, in the protocol of healthchecks.io.
        ping_s: interval of its pings.
        outside_proxy: proxy for both; loopback never uses it.
    """

    engine_id: str = MAIN
    read_engine_ids: Callable[[], Sequence[str]] = lambda: (MAIN,)
    telegram_token: str | None = field(default=None, repr=False)
    telegram_people: Sequence[Person] = ()
    telegram_base_url: str = "https://api.telegram.org/bot"
    telegram_file_url: str = "https://api.telegram.org/file/bot"
    telegram_pager_token: str | None = field(default=None, repr=False)
    telegram_webhook_url: str | None = field(default=None, repr=False)
    telegram_webhook_port: int = 8_644
    page_url: str | None = None
    telegram_proxy: str | None = field(default=None, repr=False)
    opportunity_notice_usd_min: Decimal = Decimal(5)
    is_interactive: bool = True
    export_directory: Path | None = None
    history_path: Path | None = None
    chart_directory: Path | None = None
    chart_cache_directory: Path | None = None
    chart_theme: str = "light"
    command_age_s_max: int = 60
    confirm_s: int = 60
    poll_s: int = 25
    send_s: float = 10.0
    ask_s: float = 15.0
    token_refusals_max: int = 10
    time_zone: str = "UTC"
    read_memory_mb: Callable[[], dict[str, float]] = dict
    read_log: Callable[[int], Sequence[str]] = lambda _most: ()
    tell_terminal: Callable[[str], None] = lambda _line: None
    has_authenticator: bool = False
    conflict_s: float = 75.0
    sign_s: float = 5.0
    blind_s: float = 60.0
    blind_pause_s: float = 600.0
    chat_sends_per_s: float = 1.0
    chat_send_burst: int = 5
    card_s: float | None = None
    eased: Callable[[float], float] = lambda every_s: every_s
    in_force: Sequence[SettingInForce] = ()
    alert_group_wait_s: float = 2.0
    alert_edit_s: float = 10.0
    alert_look_s: float = 0.5
    health_s: float = 15.0
    alert_urls: Sequence[str] = field(default=(), repr=False)
    ping_url: str | None = field(default=None, repr=False)
    ping_s: float = 60.0
    outside_proxy: str | None = field(default=None, repr=False)

    @property
    def has_telegram(self) -> bool:
        """Say whether the chat is Telegram.

        Raises:
            FatalError: only one of the two is set: the token, and an operator id.
        """
        if (self.telegram_token is None) != (not self.telegram_people):
            present, absent = (
                ("bot token", "operator id")
                if not self.telegram_people
                else ("operator id", "bot token")
            )
            raise FatalError(
                f"a Telegram {present} is set but no {absent}: set TELEGRAM_BOT_TOKEN and"
                " TELEGRAM_OPERATOR_ID, or neither of them for the terminal chat"
            )
        return self.telegram_token is not None

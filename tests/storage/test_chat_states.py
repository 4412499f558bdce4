"""What a chat keeps is stored with how far it has taken the notices, or not at all."""

from engine.bus.notices import AlertAct
from engine.bus.reports import InboxStored, Kept, KeptReport
from engine.domain.modes import Basis
from engine.requests.alerts import ActOnAlerts
from engine.requests.chat import DoneNotices, GetKept
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.storage.migrate import migrate
from tests.storage import makers
from tests.storage.asking import append, ask, notices
from tests.storage.conftest import Clock

BEFORE = "20261129_approvals"


async def keep(ledger: Ledger, *states: Kept, chat: str = "phone", seq: int = 0) -> None:
    request = DoneNotices(reader="phone-alerts", seq=seq, chat=chat, states=states)
    await ask(ledger, request, InboxStored)


async def kept(ledger: Ledger, chat: str = "phone") -> list[Kept]:
    return (await ask(ledger, GetKept(chat=chat), KeptReport)).states


async def test_what_a_chat_keeps_survives_a_restart_and_is_its_own(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_notice_record(number=1))
        newest_seq = (await notices(ledger)).newest_seq
        first = (Kept(name="a", value=b"1"), Kept(name="b", value=b"2"))
        await keep(ledger, *first, seq=newest_seq)
        await keep(ledger, Kept(name="a", value=None), Kept(name="b", value=b"3"))

    async with open_ledger(settings, clock=clock) as ledger:
        assert await kept(ledger) == [Kept(name="b", value=b"3")]
        assert await kept(ledger, "terminal") == []
        assert (await notices(ledger, reader="phone-alerts")).delivered_seq == newest_seq


async def test_an_act_is_a_notice_once_however_often_it_is_told(
    settings: LedgerSettings, clock: Clock
) -> None:
    act = AlertAct(at_ns=clock(), basis=Basis.LIVE, by="terminal", act="ack", target="killed")
    async with open_ledger(settings, clock=clock) as ledger:
        for _ in range(2):
            await ask(ledger, ActOnAlerts(act=act), InboxStored)

        (stamped,) = (await notices(ledger)).notices

    assert isinstance(stamped.notice, AlertAct)
    assert stamped.notice.basis is (settings.basis or Basis.SANDBOX)
    assert stamped.notice.target == "killed"


async def test_alerts_of_a_chat_of_before_begin_where_its_news_are_told_up_to(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *(makers.make_notice_record(number=number) for number in (1, 2)))
        newest_seq = (await notices(ledger)).newest_seq
        await ask(ledger, DoneNotices(reader="telegram", seq=newest_seq), InboxStored)
    await migrate("down", settings=settings, to=BEFORE)

    async with open_ledger(settings, clock=clock) as ledger:
        report = await notices(ledger, reader="telegram-alerts")

    assert report.delivered_seq == newest_seq
    assert report.notices == []

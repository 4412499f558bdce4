"""A person pauses the contract on chain, and lets it run again: once each, whatever is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.bus.reports import Declined
from engine.bus.work_reports import WorkDone
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.told import Asked, Fate
from engine.sending.desk import ChainDesk
from engine.sending.nonces import NonceTable
from engine.sending.stages import Stage
from engine.wiring.sender_answers import SenderAnswers
from tests.patience import PATIENCE_S
from tests.sending.sending_world import CHAIN, OWNER, SendingWorld

ROOT = Path(__file__).parents[2]


def is_paused(sending: SendingWorld) -> bool:
    return bool(sending.world.hands(1).read(sending.contract, "isPaused()", ("bool",)))


def make_guardian(sending: SendingWorld) -> None:
    owner = sending.world.hands(OWNER)
    owner.send(sending.contract, "setGuardian(address,bool)", sending.wallet, True)
    owner.flush()


def own(sending: SendingWorld) -> None:
    """Let the wallet be the owner, by both steps of it."""
    owner = sending.world.hands(OWNER)
    owner.send(sending.contract, "transferOwnership(address)", sending.wallet)
    owner.flush()
    rpc = sending.world.rpc
    rpc.ask("anvil_impersonateAccount", sending.wallet)
    accept = {"from": sending.wallet, "to": sending.contract, "data": ACCEPT}
    rpc.ask("eth_sendTransaction", accept)
    sending.world.mine()


def asked(sending: SendingWorld, name: str = "c1", *, is_pause: bool = True) -> Asked:
    return Asked(
        command_id=name, chain=CHAIN, is_pause=is_pause, by="maria", at_ns=sending.now_ns()
    )


async def steps(desk: ChainDesk, sending: SendingWorld, count: int = 6) -> None:
    for _ in range(count):
        await desk.step()
        sending.world.mine()


def let(sending: SendingWorld, one: Asked) -> None:
    """Keep what is asked by a person, and let a desk work on it."""
    if not one.is_pause:
        sending.let_run(one.command_id)
    sending.table.asked.keep(one)

    async def acting(desk: ChainDesk) -> None:
        await steps(desk, sending)

    sending.run(acting)


def test_the_contract_is_paused_once_even_while_nothing_else_is_signed(
    sending: SendingWorld,
) -> None:
    make_guardian(sending)
    sending.refusal = SignRefusal(kind=RefusalKind.KILLED, detail="killed")
    count = sending.count()
    one = asked(sending)

    let(sending, one)
    let(sending, one)  # the same command again

    life = sending.table.life_of(one.client_order_id)
    assert life is not None
    assert life.stage in {Stage.CONFIRMED, Stage.FINAL}
    assert is_paused(sending)
    assert sending.count() == count + 1


def test_a_pause_that_waits_for_its_block_is_not_sent_a_second_time(
    sending: SendingWorld,
) -> None:
    make_guardian(sending)
    one = asked(sending)
    sending.table.asked.keep(one)
    sending.world.automine(False)

    async def acting(desk: ChainDesk) -> None:
        for _ in range(3):
            await desk.step()
        await steps(desk, sending)

    sending.run(acting)

    assert is_paused(sending)
    assert sending.count() == 1


def test_a_wallet_that_is_no_guardian_pauses_nothing_and_loses_only_gas(
    sending: SendingWorld,
) -> None:
    let(sending, asked(sending))

    assert not is_paused(sending)
    (told,) = sending.all_told()
    assert told.news.fate is Fate.REVERTED
    assert told.news.chore is not None
    spent_wei = 10**18 - int(sending.world.rpc.ask("eth_getBalance", sending.wallet, "latest"), 16)
    assert told.news.chore.gas.scaleb(18) == spent_wei
    assert any("ask again" in one for one in sending.warnings)


def test_nothing_is_paused_that_nobody_asked_for(sending: SendingWorld) -> None:
    make_guardian(sending)

    async def acting(desk: ChainDesk) -> None:
        await steps(desk, sending, 3)

    sending.run(acting)

    assert not is_paused(sending)
    assert sending.count() == 0


KEEPS = """
import sys
from pathlib import Path
import msgspec
from engine.domain.told import Asked
from engine.sending.nonces import NonceTable
table = NonceTable(Path(sys.argv[1]))
table.asked.keep(msgspec.json.decode(sys.argv[2], type=Asked))
print("kept", flush=True)
sys.stdin.read()
"""


def test_a_pause_that_was_kept_by_a_killed_sender_is_done_once_by_the_next(
    sending: SendingWorld,
) -> None:
    import msgspec  # noqa: PLC0415

    make_guardian(sending)
    one = asked(sending)
    sending.table.close()
    with subprocess.Popen(
        [sys.executable, "-c", KEEPS, str(sending.folder / "nonces.sqlite3"),
         msgspec.json.encode(one).decode()],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as killed:  # fmt: skip
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"kept\n"
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    sending.table = NonceTable(sending.folder / "nonces.sqlite3")
    assert sending.table.asked.unaudited() == [one]

    async def acting(desk: ChainDesk) -> None:
        await steps(desk, sending)

    for _ in range(2):
        sending.run(acting)
        sending.again()

    assert is_paused(sending)
    assert sending.count() == 1


@pytest.mark.parametrize("is_owner", [True, False])
def test_it_runs_again_by_the_word_of_its_owner_once(
    sending: SendingWorld, *, is_owner: bool
) -> None:
    make_guardian(sending)
    if is_owner:
        own(sending)
    let(sending, asked(sending))
    paused, count = is_paused(sending), sending.count()

    again = asked(sending, "c2", is_pause=False)
    let(sending, again)

    assert paused
    assert not is_paused(sending)
    assert sending.count() == count + is_owner  # else the node signed for its owner
    told = sending.table.told.of(again.client_order_id)
    assert told is not None
    assert told.news.fate is Fate.SUCCEEDED


def test_without_a_persons_word_the_signer_signs_nothing_that_lets_it_run(
    sending: SendingWorld,
) -> None:
    make_guardian(sending)
    own(sending)
    let(sending, asked(sending))
    again = asked(sending, "c2", is_pause=False)
    sending.table.asked.keep(again)

    async def acting(desk: ChainDesk) -> None:
        await steps(desk, sending)

    sending.run(acting)

    told = sending.table.told.of(again.client_order_id)
    assert told is not None
    assert (told.news.fate, is_paused(sending)) == (Fate.NEVER, True)
    assert "no person let the contract on" in told.news.why


def test_who_reaches_the_senders_socket_cannot_let_it_run_whoever_owns_it(
    sending: SendingWorld,
) -> None:
    make_guardian(sending)
    let(sending, asked(sending))

    async def why_not_vouched(one: Asked) -> str:
        return sending.signing.words.why_not_run(
            one.chain, now_ns=sending.now_ns(), command_id=one.command_id
        )

    async def acting(desk: ChainDesk) -> tuple[Any, Any]:
        answers = SenderAnswers(sending.table, why_not_vouched=why_not_vouched)
        answers.desks[CHAIN] = desk
        made_up = await answers.ask_contract(asked(sending, "c2", is_pause=False))
        await steps(desk, sending, 2)
        assert is_paused(sending)
        assert len(sending.table.asked.unaudited()) == 1, "the pause alone is for the audit"
        sending.let_run("c3")
        said = asyncio.create_task(answers.ask_contract(asked(sending, "c3", is_pause=False)))
        await asyncio.wait_for(answers.handed.wait(), PATIENCE_S)
        await steps(desk, sending, 2)
        answers.stepped.set()
        return made_up, await said

    made_up, said = sending.run(acting)

    assert isinstance(made_up, Declined)
    assert "no person let the contract on" in made_up.why
    assert isinstance(said, WorkDone)
    assert not is_paused(sending)


def test_while_killed_it_is_not_let_run_again(sending: SendingWorld) -> None:
    make_guardian(sending)
    own(sending)
    let(sending, asked(sending))
    sending.refusal = SignRefusal(kind=RefusalKind.KILLED, detail="killed")

    again = asked(sending, "c2", is_pause=False)
    let(sending, again)

    told = sending.table.told.of(again.client_order_id)
    assert told is not None
    assert (told.news.fate, is_paused(sending)) == (Fate.NEVER, True)


@pytest.mark.parametrize("later", ["a pause", "an hour"])
def test_what_was_to_run_again_and_was_overtaken_never_does(
    sending: SendingWorld, later: str
) -> None:
    make_guardian(sending)
    own(sending)
    let(sending, asked(sending))
    again = asked(sending, "c2", is_pause=False)
    sending.table.asked.keep(again)
    if later == "a pause":
        sending.world.mine()
        sending.table.asked.keep(
            Asked(command_id="c3", chain=CHAIN, is_pause=True, by="ben", at_ns=again.at_ns + 1)
        )
    else:
        sending.shift_ns = 3_600 * 10**9

    async def acting(desk: ChainDesk) -> None:
        await steps(desk, sending, 3)

    sending.run(acting)

    told = sending.table.told.of(again.client_order_id)
    assert told is not None
    assert (told.news.fate, is_paused(sending)) == (Fate.NEVER, True)
    assert ("ben asked to pause it afterwards" if later == "a pause" else "too long ago") in (
        told.news.why
    )


ACCEPT = "0x79ba5097"
"""acceptOwnership()"""

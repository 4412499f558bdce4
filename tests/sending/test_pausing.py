"""A person pauses the contract on chain: one transaction, signed while killed too."""

from engine.domain.signing import RefusalKind, SignRefusal
from engine.sending.desk import ChainDesk
from engine.sending.stages import Stage
from tests.sending.sending_world import OWNER, SendingWorld


def is_paused(sending: SendingWorld) -> bool:
    return bool(sending.world.hands(1).read(sending.contract, "isPaused()", ("bool",)))


def make_guardian(sending: SendingWorld) -> None:
    owner = sending.world.hands(OWNER)
    owner.send(sending.contract, "setGuardian(address,bool)", sending.wallet, True)
    owner.flush()


async def paused(desk: ChainDesk, sending: SendingWorld) -> None:
    desk.wants_pause = True
    for _ in range(8):
        await desk.step()
        sending.world.mine()


def test_the_contract_is_paused_once_even_while_nothing_else_is_signed(
    sending: SendingWorld,
) -> None:
    make_guardian(sending)
    sending.refusal = SignRefusal(kind=RefusalKind.KILLED, detail="killed")
    count = sending.count()

    async def acting(desk: ChainDesk) -> str:
        await paused(desk, sending)
        return desk.pausing

    pausing = sending.run(acting)

    life = sending.table.life_of(pausing)
    assert life is not None
    assert life.stage in {Stage.CONFIRMED, Stage.FINAL}
    assert is_paused(sending)
    assert sending.count() == count + 1


def test_a_wallet_that_is_no_guardian_pauses_nothing_and_loses_only_gas(
    sending: SendingWorld,
) -> None:
    async def acting(desk: ChainDesk) -> None:
        await paused(desk, sending)

    sending.run(acting)

    assert not is_paused(sending)
    (told,) = sending.all_told()
    assert told.news.fate.value == "reverted"


def test_nothing_is_paused_that_nobody_asked_for(sending: SendingWorld) -> None:
    make_guardian(sending)

    async def acting(desk: ChainDesk) -> None:
        for _ in range(3):
            await desk.step()

    sending.run(acting)

    assert not is_paused(sending)
    assert sending.count() == 0

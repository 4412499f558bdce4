"""The life of what holds one nonce, from its reservation to a final block.

Of all that is ever signed for a nonce a chain takes one. So a plan has one nonce, and whatever
takes another's place there is the same plan dearer, or nothing at all (a cancel): however often it
is sent, dropped, replaced or moved to another block, it ends once. What is looked up may come
twice or late; a look says all that a node shows at one head, and replaces what was known.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.told import Fate
from engine.sending.facts import (
    Act,
    Answer,
    Answered,
    Attempt,
    Draft,
    Drafted,
    Landed,
    Learned,
    Life,
    Look,
    Rebid,
    Send,
    Sign,
    Signed,
    Telling,
    Unsigned,
    Warn,
)
from engine.sending.stages import LIFE, SHOWN, Event, Stage

ROUTES_MAX: Final = 32
"""So often a plan's transaction is signed; of the 64 times that the signer signs a nonce the others
are for cancels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRules:
    """How patient a chain makes us.

    Attributes:
        confirm_blocks: with so many, its own counted, an outcome is told.
        stuck_blocks: after so many without it, it bids anew.
    """

    confirm_blocks: int
    stuck_blocks: int

    def __post_init__(self) -> None:
        if min(self.confirm_blocks, self.stuck_blocks) < 1:
            raise BadValueError(
                f"{self.confirm_blocks} and {self.stuck_blocks} blocks; each must be 1 or more"
            )


def take(life: Life, learned: Learned, rules: LifeRules) -> tuple[Life, tuple[Act, ...]]:
    """Take over what is learned; return the life since, to be kept before any of the acts is done.

    Raises:
        BadValueError: it cannot be about this nonce.
    """
    if life.has_ended:
        return life, ()
    if isinstance(learned, Look):
        return _looked(life, learned, rules)
    if isinstance(learned, Drafted):
        return _drafted(life, learned.draft)
    if isinstance(learned, Signed):
        return _signed(life, learned)
    if isinstance(learned, Unsigned):
        return _unsigned(life, learned)
    return _answered(life, learned)


def shown(life: Life, look: Look, rules: LifeRules) -> Event:
    """Return what a look says of a nonce."""
    landed = look.landed
    if landed is not None:
        if landed.block <= look.final:
            return Event.FINAL
        is_deep = look.head - landed.block + 1 >= rules.confirm_blocks
        return Event.DEEP if is_deep else Event.MINED
    if look.count > life.nonce:
        return Event.TAKEN_FOR_GOOD if look.final_count > life.nonce else Event.TAKEN
    return Event.WAITS if look.waiting.intersection(life.hashes) else Event.NOWHERE


def ended_anew(life: Life, why: str) -> tuple[Life, Telling | None]:
    """End what has not, as the chain that it was sent on is gone; return what is to be told of it.

    What was told of it stands: it was so on that chain.
    """
    ended = msgspec.structs.replace(life, stage=Stage.ANEW, draft=None, why=why)
    told = life.told
    if told is not None and told.fate is not Fate.UNDONE:
        return ended, None
    telling = Telling(
        client_order_id=life.client_order_id,
        version=1 if told is None else told.version + 1,
        fate=Fate.NEVER,
        why=why,
    )
    return msgspec.structs.replace(ended, told=telling), telling


def _looked(life: Life, look: Look, rules: LifeRules) -> tuple[Life, tuple[Act, ...]]:
    landed = look.landed
    if landed is not None and (landed.hash not in life.hashes or landed.block > look.head):
        raise BadValueError(f"{landed.hash} in block {landed.block} is none of nonce {life.nonce}")
    was, stage = life.stage, _after(life.stage, shown(life, look, rules))
    life = msgspec.structs.replace(life, stage=stage, landed=landed)
    acts: list[Act] = []
    if stage is not was and stage in {Stage.REORGANISED, Stage.TAKEN}:
        acts.append(Warn(_odd(life, was)))
    telling = _telling(life)
    if telling is not None:
        life = msgspec.structs.replace(life, told=telling)
        acts.append(telling)
    if stage not in SHOWN:
        acts += _push(life, look, rules)
    return life, tuple(acts)


def _push(life: Life, look: Look, rules: LifeRules) -> list[Act]:
    """Do what brings a nonce on that no block shows used."""
    if life.draft is not None:
        return [Sign(life.draft)]
    if not life.attempts:
        return []
    newest = life.attempts[-1]
    if look.head_ts > life.deadline_ts and not newest.is_cancel:
        return [Rebid(newest, is_cancel=True)]
    is_next = look.count == life.nonce
    is_stuck = is_next and look.head - newest.at_block >= rules.stuck_blocks
    acts: list[Act] = [] if newest.hash in look.waiting else [Send(newest)]
    if life.is_underpriced or is_stuck:
        may = newest.is_cancel or len(life.attempts) < ROUTES_MAX
        if may:
            acts.append(Rebid(newest, is_cancel=newest.is_cancel, is_far=life.is_underpriced))
    return acts


def _telling(life: Life) -> Telling | None:
    """Return what is to be told now, None if that was told already or nothing is sure yet."""
    told = life.told
    if life.stage in {Stage.CONFIRMED, Stage.FINAL}:
        assert life.landed is not None
        fate, landed, why = _fate(life, life.landed), life.landed, ""
    elif life.stage in {Stage.LOST, Stage.VOID}:
        why = life.why or f"its nonce {life.nonce} was used by what we never signed"
        fate, landed = Fate.NEVER, None
    elif life.stage in {Stage.REORGANISED, Stage.TAKEN} and told is not None:
        fate, landed, why = Fate.UNDONE, None, ""
    else:
        return None
    if told is not None and (told.fate, told.landed) == (fate, landed):
        return None
    version = 1 if told is None else told.version + 1
    return Telling(
        client_order_id=life.client_order_id, version=version, fate=fate, landed=landed, why=why
    )


def _fate(life: Life, landed: Landed) -> Fate:
    attempt = next(one for one in life.attempts if one.hash == landed.hash)
    if attempt.is_cancel:
        return Fate.CANCELLED
    return Fate.SUCCEEDED if landed.is_success else Fate.REVERTED


def _drafted(life: Life, draft: Draft) -> tuple[Life, tuple[Act, ...]]:
    if life.draft is not None:
        raise BadValueError(f"nonce {life.nonce} waits for a signature already")
    if not life.attempts and draft.is_cancel:
        raise BadValueError(f"nonce {life.nonce} has nothing to cancel")
    if life.attempts and not draft.bid.outbids(life.attempts[-1].bid):
        raise BadValueError(f"{draft.bid} does not replace {life.attempts[-1].bid}")
    if life.attempts and life.attempts[-1].is_cancel and not draft.is_cancel:
        raise BadValueError(f"nonce {life.nonce} is being cancelled")
    life = msgspec.structs.replace(life, draft=draft)
    return life, (Sign(draft),)


def _signed(life: Life, signed: Signed) -> tuple[Life, tuple[Act, ...]]:
    draft = life.draft
    if draft is None:
        return life, ()
    attempt = Attempt(
        bid=draft.bid,
        is_cancel=draft.is_cancel,
        at_block=draft.at_block,
        hash=signed.hash,
        raw=signed.raw,
        signed_at_ns=signed.at_ns,
    )
    life = msgspec.structs.replace(
        life,
        stage=_after(life.stage, Event.SIGNED),
        draft=None,
        attempts=(*life.attempts, attempt),
        is_underpriced=False,
    )
    return life, (() if life.stage in SHOWN else (Send(attempt),))


def _unsigned(life: Life, refusal: Unsigned) -> tuple[Life, tuple[Act, ...]]:
    if life.draft is None:
        return life, ()
    stage = life.stage if life.attempts else _after(life.stage, Event.UNSIGNED)
    life = msgspec.structs.replace(life, stage=stage, draft=None, why=refusal.why)
    warning = Warn(f"nonce {life.nonce}: the signer refused: {refusal.why}")
    telling = _telling(life) if life.stage is Stage.VOID else None
    if telling is None:
        return life, (warning,)
    return msgspec.structs.replace(life, told=telling), (warning, telling)


def _answered(life: Life, answered: Answered) -> tuple[Life, tuple[Act, ...]]:
    if not life.attempts or answered.hash != life.attempts[-1].hash:
        return life, ()
    answer, where = answered.answer, f"{answered.hash} with nonce {life.nonce}"
    if answer in {Answer.TAKEN_IN, Answer.KNOWN, Answer.UNCLEAR}:
        return msgspec.structs.replace(life, stage=_after(life.stage, Event.LEFT)), ()
    if answer is Answer.UNDERPRICED:
        return msgspec.structs.replace(life, is_underpriced=True), ()
    if answer is Answer.NO_FUNDS:
        return life, (Warn(f"out of gas money: {where} was refused: {answered.why}"),)
    if answer is Answer.REFUSED:
        return life, (Warn(f"{where} was refused: {answered.why}"),)
    return life, ()  # of a used nonce the next look says by what


def _after(stage: Stage, event: Event) -> Stage:
    return LIFE[stage].get(event, stage)


def _odd(life: Life, was: Stage) -> str:
    if life.stage is Stage.REORGANISED:
        return f"nonce {life.nonce} was {was}, and the block that showed it is gone"
    return f"nonce {life.nonce} was {was}, and is used by what we never signed"

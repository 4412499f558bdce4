"""The one list of input kinds; adding one is a file in `core/inputs` and a line here."""

from typing import Final

from engine.core.inputs.advised import ADVISED
from engine.core.inputs.approval_answered import APPROVAL_ANSWERED
from engine.core.inputs.approval_delivered import APPROVAL_DELIVERED
from engine.core.inputs.block import BLOCK
from engine.core.inputs.chain_lost import CHAIN_LOST
from engine.core.inputs.chat_seen import CHAT_SEEN
from engine.core.inputs.closed import CLOSED
from engine.core.inputs.corrected import CORRECTED
from engine.core.inputs.fees_set import FEES_SET
from engine.core.inputs.fetch_failed import FETCH_FAILED
from engine.core.inputs.fetched import FETCHED
from engine.core.inputs.frame import FRAME
from engine.core.inputs.gas_priced import GAS_PRICED
from engine.core.inputs.intent_stored import INTENT_STORED
from engine.core.inputs.inventory_reset import INVENTORY_RESET
from engine.core.inputs.kind import AnyKind
from engine.core.inputs.leftovers_closed import LEFTOVERS_CLOSED
from engine.core.inputs.limits_set import LIMITS_SET
from engine.core.inputs.listed import LISTED
from engine.core.inputs.mandate_set import MANDATE_GRANTED, MANDATE_REVOKED
from engine.core.inputs.opened import OPENED
from engine.core.inputs.order_told import ORDER_TOLD
from engine.core.inputs.places_off import PLACES_OFF
from engine.core.inputs.pool_added import POOL_ADDED
from engine.core.inputs.pool_removed import POOL_REMOVED
from engine.core.inputs.swap_told import SWAP_TOLD
from engine.core.inputs.switched import SWITCHED
from engine.core.inputs.tick import TICK
from engine.core.inputs.transaction_told import TRANSACTION_TOLD
from engine.core.inputs.venue_seen import VENUE_SEEN
from engine.core.inputs.wallet_seen import WALLET_SEEN

INPUTS: Final[tuple[AnyKind, ...]] = (
    OPENED,
    FRAME,
    FETCHED,
    FETCH_FAILED,
    CLOSED,
    TICK,
    SWITCHED,
    LISTED,
    CORRECTED,
    INVENTORY_RESET,
    BLOCK,
    POOL_ADDED,
    POOL_REMOVED,
    CHAIN_LOST,
    LIMITS_SET,
    GAS_PRICED,
    INTENT_STORED,
    APPROVAL_ANSWERED,
    MANDATE_GRANTED,
    MANDATE_REVOKED,
    PLACES_OFF,
    CHAT_SEEN,
    APPROVAL_DELIVERED,
    FEES_SET,
    ADVISED,
    TRANSACTION_TOLD,
    WALLET_SEEN,
    ORDER_TOLD,
    VENUE_SEEN,
    LEFTOVERS_CLOSED,
    SWAP_TOLD,
)

"""Kinds of bad input that a feed can meet; each is counted by kind and makes a book stale."""

from enum import StrEnum


class Fault(StrEnum):
    """What was wrong with what a venue sent, or did not send."""

    GAP = "gap"
    REORGANISED = "reorganised"
    DUPLICATE = "duplicate"
    REORDERED = "reordered"
    SNAPSHOT_TOO_OLD = "snapshot_too_old"
    CROSSED = "crossed"
    EMPTY = "empty"
    STALLED = "stalled"
    OVERSIZE = "oversize"
    BAD_JSON = "bad_json"
    BAD_SHAPE = "bad_shape"
    BAD_NUMBER = "bad_number"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    VENUE_ERROR = "venue_error"
    AUDIT_DIVERGED = "audit_diverged"
    BUFFER_FULL = "buffer_full"
    LEVELS_DROPPED = "levels_dropped"
    FETCH_FAILED = "fetch_failed"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"
    HALTED = "halted"
    LATE = "late"

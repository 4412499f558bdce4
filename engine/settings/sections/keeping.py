"""Settings of what is kept on disk."""

from typing import Annotated, Literal

from msgspec import Meta

from engine.settings.sections.section import Section


class DataSettings(Section, frozen=True, kw_only=True):
    """Where things are kept, and for how long."""

    dir: Annotated[
        str,
        Meta(
            min_length=1,
            description="directory of database, recordings, logs and latch; ~ is your home",
        ),
    ] = "var"
    database_url: Annotated[
        str | None,
        Meta(description="PostgreSQL as postgresql+asyncpg://user:password@host/name; "
             "else SQLite in the data directory"),
    ] = None  # fmt: skip
    retention_days: Annotated[
        int, Meta(ge=1, le=3_650, extra={"unit": "days"},
                  description="opportunities and read notices are kept this long; money for ever")
    ] = 30  # fmt: skip
    backup_s: Annotated[
        int, Meta(ge=60, le=86_400 * 7, extra={"unit": "s"},
                  description="interval of online backups of SQLite")
    ] = 900  # fmt: skip
    exports_days: Annotated[
        int, Meta(ge=1, le=3_650, extra={"unit": "days"},
                  description="exported files go after so long: they can be exported again")
    ] = 90  # fmt: skip
    backups_kept: Annotated[int, Meta(ge=1, le=1_000, description="newest backups kept")] = 8


class RecordingSettings(Section, frozen=True, kw_only=True):
    """Recording of every input, for replay and for tracing decisions to frames."""

    is_on: Annotated[
        bool, Meta(description="record raw frames; off also turns /why's trace off")
    ] = True
    segment_mb: Annotated[
        int, Meta(ge=1, le=4_096, extra={"unit": "MB"},
                  description="uncompressed size at which a segment file is ended")
    ] = 64  # fmt: skip
    segment_s: Annotated[
        int, Meta(ge=30, le=86_400, extra={"unit": "s"},
                  description="age at which it is ended too: what was advised is measured on whole "
                  "segments, in spans of two minutes")
    ] = 370  # fmt: skip
    total_mb_max: Annotated[
        int, Meta(ge=4, le=1_048_576, extra={"unit": "MB"},
                  description="disk for recordings; the oldest segments go first")
    ] = 512  # fmt: skip


class LogSettings(Section, frozen=True, kw_only=True):
    """Logs."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="least level written")
    ] = "info"
    form: Annotated[
        Literal["text", "json"],
        Meta(description="text for people; json: an object a line, for a log collector"),
    ] = "text"

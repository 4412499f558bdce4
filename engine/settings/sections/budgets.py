"""Settings of what venues and providers of nodes may be used for."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from engine.settings.sections.section import Section


class BudgetsSettings(Section, frozen=True, kw_only=True):
    """What you have of venues and providers: you are told before it is spent, nothing else."""

    units_day: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "units", "gt": 0, "le": 1_000_000_000_000},
            description="by venue or host, what you have of it in a UTC day, in its own units "
            "(weights of a venue, credits of a provider), as infura.io=3000000,gemini=50000",
        ),
    ] = msgspec.field(default_factory=dict)
    units_month: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "units", "gt": 0, "le": 1_000_000_000_000},
            description="the same of a UTC month, as alchemy.com=30000000",
        ),
    ] = msgspec.field(default_factory=dict)
    mb_day: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "MB", "gt": 0, "le": 1_000_000_000},
            description="by venue or host, how much may come and go in a UTC day",
        ),
    ] = msgspec.field(default_factory=dict)
    mb_month: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "MB", "gt": 0, "le": 1_000_000_000},
            description="the same of a UTC month",
        ),
    ] = msgspec.field(default_factory=dict)

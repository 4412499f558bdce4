"""What every section is made of."""

from typing import Final, Literal

import msgspec
from msgspec import Meta


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings that belong together; `Annotated` carries bounds and description of each."""


FEE: Final = {"unit": "bps", "ge": 0, "lt": 10_000}
"""A fee of 100 % leaves nothing."""


def exact(
    description: str,
    *,
    unit: str,
    above: int | None = None,
    at_least: int | None = None,
    at_most: int | None = None,
    tightens: Literal["down", "up"] | None = None,
) -> Meta:
    """Describe an exact decimal; msgspec knows no bounds of decimals, `load` checks these.

    With `tightens` it may change while it runs; see `settings.running`.
    """
    bounds = {"unit": unit, "gt": above, "ge": at_least, "le": at_most, "tightens": tightens}
    return Meta(description=description, extra={k: v for k, v in bounds.items() if v is not None})

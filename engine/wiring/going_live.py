"""Whether transactions may be sent here at all, in a sentence that says what is missing."""

from engine.settings.schema import Settings, environment_name


def why_not_live(settings: Settings) -> str:
    """Say why no transaction may be sent here; empty if it may, on the sandbox's chains."""
    if settings.markets.source != "sandbox":
        return (
            "live on a main network is not built yet: it takes a contract verified by the hash of"
            " its code, a funded wallet, a self-test that passed, limits, and a one-time code"
        )
    if settings.signer.signs == "off":
        return f"nothing can be signed here: {environment_name('signer', 'signs')} is off"
    if not settings.signer.contracts:
        return (
            "no contract of ours is named that may be called:"
            f" {environment_name('signer', 'contracts')}"
        )
    return ""

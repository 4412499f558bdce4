"""How a front-end keeps secrets out of what it logs and says."""

from engine.domain.redaction import HIDDEN, SecretRedactor, install_redaction, redact

__all__ = ["HIDDEN", "SecretRedactor", "install_redaction", "redact"]

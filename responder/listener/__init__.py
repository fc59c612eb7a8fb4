"""Takes mail in over SMTP and LMTP. What it acknowledges is on disk (Law 1); it decides nothing."""

from responder.listener.agent import Encryption, Inet, Listener, Unix
from responder.listener.limits import Limits
from responder.listener.reception import Acceptance

__all__ = ["Acceptance", "Encryption", "Inet", "Limits", "Listener", "Unix"]

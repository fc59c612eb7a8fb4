"""Strangers' octets are read in a process of its own, which may be killed."""

from responder.reader.asking import CONTENTS, FILE, MARKUP, MESSAGE, REREADINGS, VIEW, Question
from responder.reader.process import Bounds, Reader, ReaderUnavailable

__all__ = [
    "CONTENTS",
    "FILE",
    "MARKUP",
    "MESSAGE",
    "REREADINGS",
    "VIEW",
    "Bounds",
    "Question",
    "Reader",
    "ReaderUnavailable",
]

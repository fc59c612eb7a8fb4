"""Strangers' octets are read in a process of its own, which may be killed."""

from responder.reader.process import Bounds, Reader, ReaderUnavailable

__all__ = ["Bounds", "Reader", "ReaderUnavailable"]

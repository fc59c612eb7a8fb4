"""The inbox to its lanes: what came in is read, decided on, answered or put before a person."""

from responder.worker.agent import run, triage_next
from responder.worker.writing import Briefing

__all__ = ["Briefing", "run", "triage_next"]

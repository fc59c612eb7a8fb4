"""The service behind a support address: it answers from a FAQ what it is sure of, and puts the rest before people."""

__version__ = "0.1.0"

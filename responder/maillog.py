"""One event, one line, key=value (or JSON), in Postfix's words; never text of a mail."""

import logging
import sys
from typing import Literal

import structlog

LogStyle = Literal["auto", "json", "console"]


def log(agent: str) -> structlog.typing.FilteringBoundLogger:
    """The log of one agent; every line carries its name."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(agent=agent)
    return bound


def open_log(style: LogStyle) -> None:
    """Configure the process's log once, at start: to standard error; `auto` is key=value for a terminal, else JSON."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "agent", "event"])
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    root = logging.getLogger()
    if not any(isinstance(handler, _Forward) for handler in root.handlers):
        root.addHandler(_Forward(logging.WARNING))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without the values around it: a mail or a password may be among them.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            _one_line,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Asked for at every line: whoever redirects standard error meanwhile gets what is said from then on. Line and
        # line end in one piece: several processes write here, and unbuffered a print is two pieces.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


class _Forward(logging.Handler):
    """What libraries have to say, in our form."""

    def emit(self, record: logging.LogRecord) -> None:
        log(record.name).log(record.levelno, record.getMessage())


def _one_line(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    # A remote server's words reach the log; a line break in them would forge a second line.
    return {key: " ".join(value.split()) if isinstance(value, str) else value for key, value in event.items()}

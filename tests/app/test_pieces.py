"""What the settings make of an envelope sender of its own: taken in, recognised, and never answered."""

from datetime import timedelta
from pathlib import Path

from responder.app.pieces import bounces_of, knowledge_on, next_hop_of, own_addresses
from responder.config import Config, load_config
from responder.corpus import load_corpus
from responder.courier.smtp import SmtpNextHop
from responder.mail.envelope import Envelope
from responder.triage.cold import fit_cold
from responder.triage.guard.suppression import Suppression
from responder.triage.reading import read_mail
from tests.knowledge import ROOT

WRITTEN = """
[courier]
next_hop = "smtp://127.0.0.1:2"
envelope_sender = "Returns@example.jp"
final_timeout = "12m"
"""


def _config(folder: Path) -> Config:
    file = folder / "config.toml"
    file.write_text(WRITTEN)
    return load_config(file, {})


def test_the_listener_takes_mail_for_it_and_the_courier_uses_it(tmp_path: Path) -> None:
    config = _config(tmp_path)
    assert own_addresses(config) == {"support@example.jp", "returns@example.jp"}
    hop = next_hop_of(config)
    assert isinstance(hop, SmtpNextHop)
    assert hop._smarthost.null_sender == "Returns@example.jp"
    assert hop._smarthost.final_timeout == timedelta(minutes=12)
    assert bounces_of(Config()) == frozenset()


def test_nothing_that_comes_to_it_or_from_it_is_answered(tmp_path: Path) -> None:
    corpus = load_corpus(ROOT / "faq_corpus")
    knowledge = knowledge_on(_config(tmp_path), corpus, fit_cold(corpus))
    raw = b"From: tanaka@contractor.example\r\nSubject: Re: x\r\n\r\nI am out.\r\n"
    to_it = Envelope("tanaka@contractor.example", ("returns@example.jp",))
    assert read_mail(to_it, raw, knowledge).suppression is Suppression.BOUNCE_ADDRESS
    from_it = Envelope("RETURNS@example.jp", ("support@example.jp",))
    assert read_mail(from_it, raw, knowledge).suppression is Suppression.OWN_ADDRESS

"""What the settings make of an envelope sender of its own, and what people's judgements make of the entries."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from responder.app.pieces import bounces_of, knowledge_on, next_hop_of, own_addresses
from responder.config import Config, load_config
from responder.corpus import load_corpus
from responder.courier.smtp import SmtpNextHop
from responder.mail.envelope import Envelope
from responder.triage.cold import fit_cold
from responder.triage.guard.suppression import Suppression
from responder.triage.reading import read_mail
from responder.triage.trial import Standing
from tests.knowledge import ROOT, cold_corpus, shipped_classifier

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
    knowledge = knowledge_on(_config(tmp_path), corpus, fit_cold(corpus), {})
    raw = b"From: tanaka@contractor.example\r\nSubject: Re: x\r\n\r\nI am out.\r\n"
    to_it = Envelope("tanaka@contractor.example", ("returns@example.jp",))
    assert read_mail(to_it, raw, knowledge).suppression is Suppression.BOUNCE_ADDRESS
    from_it = Envelope("RETURNS@example.jp", ("support@example.jp",))
    assert read_mail(from_it, raw, knowledge).suppression is Suppression.OWN_ADDRESS


def test_an_entry_that_people_judge_wrong_too_often_is_not_sent_any_more() -> None:
    corpus, classifier = load_corpus(ROOT / "faq_corpus"), shipped_classifier()
    before = knowledge_on(Config(), corpus, classifier, {})
    tried = before.standings["q04"]
    assert "q04" not in before.thresholds.unproven
    after = knowledge_on(Config(), corpus, classifier, {"q04": (40, 40), "q01": (40, 0), "q99": (9, 9)})
    assert after.thresholds.unproven == before.thresholds.unproven | {"q04"}
    assert after.thresholds.floor == before.thresholds.floor
    assert after.standings["q04"] == tried + Standing(40, 40)
    assert after.judged == {"q04": Standing(40, 40), "q01": Standing(40, 0)}


@pytest.mark.parametrize(
    ("judged", "stopped"),
    [((2, 2), False), ((3, 3), True), ((8, 3), False), ((20, 10), True)],
    ids=["two wrong prove nothing", "three of three do", "three of eight do not", "half of twenty do"],
)
def test_under_a_floor_set_by_hand_an_entry_answers_until_people_prove_it_wrong(
    judged: tuple[int, int], stopped: bool, tmp_path: Path
) -> None:
    corpus = load_corpus(cold_corpus(tmp_path))
    config = replace(Config(), triage=replace(Config().triage, floor=0.26))
    knowledge = knowledge_on(config, corpus, fit_cold(corpus), {"q04": judged})
    assert ("q04" in knowledge.thresholds.unproven) is stopped
    assert (knowledge.basis, knowledge.thresholds.floor) == ("set by hand", 0.26)

"""faq_corpus/ is read whole or refused with every fault; the shipped corpus keeps the facts of its source."""

from datetime import date
from pathlib import Path

import pytest

from responder.corpus import LEAST_PHRASINGS, Corpus, Mode, load_corpus
from responder.errors import CorpusError, Fault

SHIPPED = Path(__file__).parent.parent / "faq_corpus"

GOOD = """number = 4
id = "q04"
title = "Shared mailbox"
question = "May we share a mailbox?"
phrasings = ["Is a shared mailbox allowed?"]
answer = "The person in charge may, the signatory may not."
mode = "automatic"
revision = 2
revised = 2026-11-24

[[links]]
label = "Help"
url = "https://help.example/articles/1"
"""

ENGLISH = """
[english]
title = "Shared address"
question = "May we share an address?"
answer = "The person in charge may share an address, the signatory may not."

[[english.links]]
label = "Help in English"
url = "https://help.example/en/1"
"""


def _folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def _faults(folder: Path) -> tuple[Fault, ...]:
    with pytest.raises(CorpusError) as caught:
        load_corpus(folder)
    return caught.value.faults


def test_an_entry_is_read_with_every_field(tmp_path: Path) -> None:
    (entry,) = load_corpus(_folder(tmp_path, q04=GOOD)).entries
    assert (entry.id, entry.number, entry.mode, entry.revision) == ("q04", 4, Mode.AUTOMATIC, 2)
    assert (entry.revised, entry.links[0].url) == (date(2026, 11, 24), "https://help.example/articles/1")


def test_an_entry_may_have_an_english_version(tmp_path: Path) -> None:
    (entry,) = load_corpus(_folder(tmp_path, q04=GOOD + ENGLISH)).entries
    assert entry.english is not None
    assert (entry.english.title, entry.english.question) == ("Shared address", "May we share an address?")
    assert entry.english.answer == "The person in charge may share an address, the signatory may not."
    assert entry.english.links[0].url == "https://help.example/en/1"
    (entry,) = load_corpus(_folder(tmp_path, q04=GOOD)).entries
    assert entry.english is None


@pytest.mark.parametrize(
    ("change", "key", "line", "remedy"),
    [
        (('title = "Shared address"', 'title = ""'), "english.title", 16, "Write something"),
        (('question = "May we share an address?"', "question = 3"), "english.question", 17, "in quotes"),
        (
            ('answer = "The person in charge may share', 'anser = "The person in charge'),
            "english.anser",
            18,
            "mend its",
        ),
        (('answer = "The person in charge may share', 'anser = "The person in charge'), "english.answer", 15, "Add it"),
        (("https://help.example/en/1", "help.example"), "english.links.1.url", 20, "https://"),
        ((ENGLISH, ""), "english", 1, "[english]"),
    ],
    ids=["empty", "no text", "unknown", "missing", "no address", "no table"],
)
def test_a_wrong_value_of_the_english_version_is_named_where_it_stands(
    tmp_path: Path, change: tuple[str, str], key: str, line: int, remedy: str
) -> None:
    text = (GOOD + ENGLISH).replace(*change)
    text = text if "[english]" in text else f"english = 3\n{text}"
    fault = next(fault for fault in _faults(_folder(tmp_path, q04=text)) if fault.key == key)
    assert (fault.line, remedy in fault.remedy) == (line, True)


def test_entries_stand_by_number_whatever_their_files_are_called(tmp_path: Path) -> None:
    other = GOOD.replace("q04", "a").replace("number = 4", "number = 9").replace("Is a shared", "Is one")
    corpus = load_corpus(_folder(tmp_path, a=other, q04=GOOD))
    assert [entry.id for entry in corpus.entries] == ["q04", "a"]


@pytest.mark.parametrize(
    ("change", "key", "line", "remedy"),
    [
        (("number = 4", 'number = "4"'), "number", 1, "whole number"),
        (('title = "Shared mailbox"', 'title = " "'), "title", 3, "Write something"),
        (('"Is a shared mailbox allowed?"', "3"), "phrasings.1", 5, "in quotes"),
        (('mode = "automatic"', 'mode = "auto"'), "mode", 7, "automatic, review or off"),
        (("revised = 2026-11-24", 'revised = "soon"'), "revised", 9, "2026-11-24"),
        (("https://help.example/articles/1", "ftp://help"), "links.1.url", 11, "https://"),
        (("revision = 2", "revison = 2"), "revison", 8, "mend its name"),
        (("revision = 2", "revison = 2"), "revision", None, "Add it"),
        (('id = "q04"', 'id = "q05"'), "id", 2, "q04"),
        (('answer = "The', "answer = The"), "", 6, "Mend the TOML"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_value_is_named_with_key_line_and_remedy(
    tmp_path: Path, change: tuple[str, str], key: str, line: int | None, remedy: str
) -> None:
    faults = _faults(_folder(tmp_path, q04=GOOD.replace(*change)))
    fault = next(fault for fault in faults if fault.key == key)
    assert fault.file.endswith("q04.toml")
    assert fault.line == line
    assert remedy in fault.remedy


def test_all_faults_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    bad = GOOD.replace('mode = "automatic"', 'mode = "x"').replace("revision = 2", "revision = 0")
    faults = _faults(_folder(tmp_path, q04=bad, q05="id = ["))
    assert {(Path(fault.file).name, fault.key) for fault in faults} == {
        ("q04.toml", "mode"),
        ("q04.toml", "revision"),
        ("q05.toml", ""),
    }


def test_two_entries_may_share_neither_number_nor_phrasing(tmp_path: Path) -> None:
    keys = {fault.key for fault in _faults(_folder(tmp_path, q04=GOOD, q05=GOOD.replace("q04", "q05")))}
    assert keys == {"number", "phrasings"}


def test_a_counterexample_is_no_entrys_phrasing(tmp_path: Path) -> None:
    other = GOOD.replace("q04", "q05").replace("number = 4", "number = 5")
    other = other.replace('phrasings = ["Is', 'counterexamples = ["Is a shared mailbox allowed?"]\nphrasings = ["May')
    (fault,) = _faults(_folder(tmp_path, q04=GOOD, q05=other))
    assert (Path(fault.file).name, fault.key) == ("q05.toml", "counterexamples")
    assert "q04.toml" in fault.problem


def test_bytes_that_are_not_utf8_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "q04.toml").write_bytes(GOOD.encode() + "注".encode("cp932"))
    assert "UTF-8" in _faults(tmp_path)[0].problem


@pytest.mark.parametrize("make", [True, False], ids=["an empty folder", "no folder"])
def test_a_corpus_without_entries_is_refused(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "corpus"
    if make:
        folder.mkdir()
    assert _faults(folder)[0].remedy


def test_the_fingerprint_changes_with_every_word_and_with_nothing_else(tmp_path: Path) -> None:
    one = load_corpus(_folder(tmp_path, q04=GOOD)).fingerprint
    assert load_corpus(_folder(tmp_path, q04=f"# a comment\n{GOOD}")).fingerprint == one
    assert load_corpus(_folder(tmp_path, q04=GOOD.replace("may not", "must not"))).fingerprint != one
    english = load_corpus(_folder(tmp_path, q04=GOOD + ENGLISH)).fingerprint
    assert english != one
    assert load_corpus(_folder(tmp_path, q04=GOOD + ENGLISH.replace("may not", "must not"))).fingerprint != english


@pytest.fixture(scope="module")
def shipped() -> Corpus:
    return load_corpus(SHIPPED)


def test_the_shipped_corpus_has_the_fifteen_entries(shipped: Corpus) -> None:
    assert [entry.number for entry in shipped.entries] == list(range(1, 16))
    assert [entry.id for entry in shipped.entries] == [f"q{number:02}" for number in range(1, 16)]
    assert all(len(entry.phrasings) >= LEAST_PHRASINGS for entry in shipped.entries)


@pytest.mark.parametrize(
    ("entry", "facts"),
    [
        ("q01", ["却下", "訂正した書類", "https://help.cloudsign.jp/ja/articles/1057523"]),
        (
            "q02",
            [
                "テキスト",
                "https://help.cloudsign.jp/ja/articles/397633",
                "https://help.cloudsign.jp/ja/articles/397758",
            ],
        ),
        (
            "q03",
            [
                "Amazon SES",
                "SPF/DKIM/DMARC",
                "お客様ご自身で",
                "フィルタリング",
                "ヘルプセンター",
                "https://aws.amazon.com/jp/ses/details/",
                "https://help.cloudsign.jp/ja/articles/5688926",
            ],
        ),
        ("q04", ["契約担当者", "差し支えございません", "契約締結権限者", "お控え", "メーリングリスト"]),
        ("q05", ["電子契約サービスの利用に関する届出書（記載事項：署名者のアドレス）", "可能です"]),
        ("q06", ["期間", "制限"]),
        ("q07", ["3者", "ご利用いただけます"]),
        (
            "q08",
            [
                "委任状・使用印鑑届",
                "代理者",
                "電子契約確認書",
                "合致",
                "無権代理（民法113条）",
                "必ず事前に契約締結権限者の承認",
            ],
        ),
        ("q09", ["確認依頼メール", "電子署名が施されたメール", "To"]),
        ("q10", ["指定した順番", "原則として", "「契約担当者」→「契約締結権限者」"]),
        ("q11", ["電子契約確認書", "契約締結権限者のみ"]),
        ("q12", ["1つ以上", "電子契約確認書", "契約締結権限者のみ"]),
        ("q13", ["利用規約に同意して開く", "後日", "左上", "ダウンロード"]),
        ("q14", ["契約担当者の承認も", "最終的な契約同意は契約締結権限者"]),
        ("q15", ["グローバルIPアドレスによるアクセス制御は行っておりません"]),
    ],
)
def test_an_answer_keeps_its_facts_conditions_and_addresses(shipped: Corpus, entry: str, facts: list[str]) -> None:
    found = shipped.entry(entry)
    said = found.answer + " ".join(link.url for link in found.links)
    assert [fact for fact in facts if fact not in said] == []


def test_the_answer_of_entry_four_tells_the_two_roles_apart(shipped: Corpus) -> None:
    allowed, forbidden = (
        next(line for line in shipped.entry("q04").answer.splitlines() if line.startswith(role))
        for role in ("・契約担当者", "・契約締結権限者")
    )
    assert "差し支えございません" in allowed
    assert "お控え" in forbidden


SIGNATORY, IN_CHARGE, FORM = "(契約締結権限者)", "(契約担当者)", "(電子契約確認書)"


@pytest.mark.parametrize(
    ("entry", "facts"),
    [
        ("q01", ["decline (却下)", "our organisation will send you a corrected document"]),
        ("q02", ["support plain text", "without any problem", "plain text only"]),
        (
            "q03",
            [
                "Amazon SES",
                "(SPF/DKIM/DMARC) on the mail servers",
                "you need to check for yourself",
                "Filter e-mails",
                "delete spoofed e-mails",
                "listed in the CloudSign Help Center",
            ],
        ),
        ("q04", [SIGNATORY, IN_CHARGE, "mailing list", "you may use", "please refrain", "please also refrain"]),
        ("q05", ["It is possible", "電子契約サービスの利用に関する届出書（記載事項：署名者のアドレス）", SIGNATORY]),
        ("q06", ["no limit", "after signing has been completed"]),
        ("q07", ["can also be used", "three parties"]),
        (
            "q08",
            [
                "(委任状・使用印鑑届)",
                "(代理者)",
                "matches",
                SIGNATORY,
                FORM,
                IN_CHARGE,
                "(代理承認)",
                "(無権代理), Article 113 of the Civil Code (民法113条)",
                "always obtain the approval of the authorised signatory in advance",
            ],
        ),
        ("q09", ["(確認依頼メール)", "(電子署名が施されたメール)", SIGNATORY, IN_CHARGE, "as To, not as CC"]),
        (
            "q10",
            [
                "(確認依頼メール)",
                "in the order",
                "As a rule",
                f"{IN_CHARGE}, then the authorised signatory {SIGNATORY}",
            ],
        ),
        ("q11", [SIGNATORY, IN_CHARGE, "enter only the authorised signatory", FORM, "do not need to fill in"]),
        ("q12", ["at least one e-mail address", "do not have to prepare two", FORM, "only the authorised signatory"]),
        (
            "q13",
            ["(利用規約に同意して開く)", "(書類の内容に同意) on a later day", "(ダウンロード)", "upper left", "PDF"],
        ),
        ("q14", ["not merely notices", IN_CHARGE, SIGNATORY, "final agreement", "a part of the agreement"]),
        ("q15", ["do not control access by global IP address", "do not need to register"]),
    ],
)
def test_an_english_answer_keeps_facts_conditions_and_the_japanese_names_of_forms(
    shipped: Corpus, entry: str, facts: list[str]
) -> None:
    english = shipped.entry(entry).english
    assert english is not None
    assert [fact for fact in facts if fact not in english.answer] == []


def test_english_links_are_those_of_the_japanese_answer(shipped: Corpus) -> None:
    for entry in shipped.entries:
        assert entry.english is not None
        assert [link.url for link in entry.english.links] == [link.url for link in entry.links]


def test_in_english_too_the_answer_of_entry_four_tells_the_two_roles_apart(shipped: Corpus) -> None:
    english = shipped.entry("q04").english
    assert english is not None
    allowed, forbidden = (
        next(line for line in english.answer.splitlines() if line.startswith(role))
        for role in ("- Person in charge", "- Authorised signatory")
    )
    assert "you may use" in allowed
    assert "please refrain" in forbidden

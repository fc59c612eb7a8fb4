"""What a mail asks: a table of mails, and the time it takes on mails made to take long."""

import time
from collections.abc import Callable

import pytest

from responder.triage.questions import MAX_CHARACTERS, MAX_UNITS, questions_of
from responder.triage.text import char_ngrams, normalised, words

COPY = "契約書の控えはどこで見られますか。"
COST = "費用はかかりますか。"

ONE = {
    "a greeting, who writes, and a courtesy at the end": (
        "ご担当者様\n\nいつも大変お世話になっております。\n株式会社例示商会の鈴木と申します。\n\n"
        f"{COPY}\n\n何卒よろしくお願いいたします。",
        COPY,
    ),
    "who writes without a polite verb": (f"株式会社例示商会の鈴木です。\n{COPY}", COPY),
    "a company in the salutation": (f"例示機構　御中\n初めてご連絡いたします。\n{COPY}", COPY),
    "a signature under two dashes": (f"{COPY}\n\n--\n株式会社例示商会\n鈴木 一郎\nTEL: 03-0000-0000", COPY),
    "a signature in a frame": (f"{COPY}\n\n━━━━━━━━━\n例示商会\n総務部\n━━━━━━━━━", COPY),
    "a rule that does not begin a signature": (
        "契約書を受け取りました。\n-----\n控えはどこで見られますか。",
        "契約書を受け取りました。 控えはどこで見られますか。",
    ),
    "contact lines without a rule": (
        f"{COPY}\n〒100-0000 東京都例示区\n電話 03-0000-0000\nE-mail: suzuki@contractor.example",
        COPY,
    ),
    "a question that names an address is no contact line": (
        "info@contractor.example でもよいですか。",
        "info@contractor.example でもよいですか。",
    ),
    "a telephone's own signature": (f"{COPY}\niPhoneから送信", COPY),
    "a quotation under the question": (f"{COPY}\n\n> 契約書をお送りしました。\n> ご確認ください。", COPY),
    "a quotation around the question": (f"> 契約書をお送りしました。\n{COPY}\n>> ご確認ください。", COPY),
    "the head of a reply as Outlook writes it": (
        f"{COPY}\n\n-----Original Message-----\nFrom: support@example.jp\n費用はかかりません。",
        COPY,
    ),
    "the head of a reply as Gmail writes it": (
        f"{COPY}\n\n2026年11月24日(火) 10:00 サポート <support@example.jp>:\n費用はかかりません。",
        COPY,
    ),
    "the head of a reply in English": (
        "Where is my copy?\n\nOn Tue, Nov 24, 2026 Support <support@example.jp> wrote:\nIt is free.",
        "where is my copy?",
    ),
    "words of one's own that ask nothing hand the quotation on": (f"以下のとおりです。\n> {COPY}", COPY),
    "half-width kana": ("ｸﾗｳﾄﾞｻｲﾝﾊ無料ﾃﾞｽｶ?", "クラウドサインハ無料デスカ?"),
    "full-width letters and marks": ("ＣｌｏｕｄＳｉｇｎは無料ですか？", "cloudsignは無料ですか?"),
    "a question broken over lines": ("費用は\nかかりますか。", "費用は かかりますか。"),
    "a courtesy after the question": (f"{COST}\nご教示いただけますと幸いです。", COST),
    "a courtesy in the question's own line": (f"{COST}教えてください。", f"{COST}教えてください。"),
    "a courtesy that itself asks for something": (
        f"{COST}ご回答くださいますようお願いいたします。",
        f"{COST}ご回答くださいますようお願いいたします。",
    ),
    "why it is asked, after the question": (f"{COST}社内で検討しております。", f"{COST}社内で検討しております。"),
    "one bullet alone": (f"・{COST}", f"・{COST}"),
    "an English greeting and farewell": (
        "Hello,\n\nCould you tell me how much it costs?\n\nThank you in advance.\nBest regards,",
        "could you tell me how much it costs?",
    ),
    "English that speaks of mail and of telling is no contact line": (
        "We only receive plain text mail.\nPlease tell us if that is all right.",
        "we only receive plain text mail. please tell us if that is all right.",
    ),
    "a time and a date are no bullets": (
        "10:30に届いた書類の期限はいつですか。",
        "10:30に届いた書類の期限はいつですか。",
    ),
    "a statement": ("控えが届きません。", "控えが届きません。"),
}

SEVERAL = {
    "bullets": (f"次の2点を教えてください。\n・{COPY}\n・{COST}", [COPY, COST]),
    "English bullets": (
        "Hi,\n* How much is it?\n* Where is my copy?\nRegards,",
        ["how much is it?", "where is my copy?"],
    ),
    "numbers": (f"1. {COPY}\n2. {COST}\nよろしくお願いします。", [COPY, COST]),
    "numbers in brackets, the first broken over lines": (
        f"（1）契約書の控えは\nどこで見られますか。\n（2）{COST}",
        [COPY, COST],
    ),
    "numbers of questions": (f"Q1：{COPY}\nQ2：{COST}", [COPY, COST]),
    "Japanese numbers": (f"一、{COPY}\n二、{COST}", [COPY, COST]),
    "two in prose": (f"{COPY}また、{COST}", [COPY, f"また、{COST}"]),
    "two in prose, each with what leads up to it": (
        f"来月から始めます。{COPY}\n社内の者が心配しております。{COST}",
        [f"来月から始めます。 {COPY}", f"社内の者が心配しております。 {COST}"],
    ),
    "two in prose, and a courtesy at the end": (
        f"{COPY}\n{COST}\nご教示いただけますと幸いです。",
        [COPY, COST],
    ),
    "two decimals are no numbers of a list": (
        "1.5倍になりますか。\n2.5倍ですか。",
        ["1.5倍になりますか。", "2.5倍ですか。"],
    ),
    "two in one sentence, the second joined on": (
        "控えはどこで見られますか、それと費用はかかりますか",
        ["控えはどこで見られますか、", "それと費用はかかりますか"],
    ),
    "two in one sentence, each with its ka": (
        "控えを見ることは可能か、可能であれば費用はいくらか、ご教示ください。",
        ["控えを見ることは可能か、", "可能であれば費用はいくらか、ご教示ください。"],
    ),
    "numbers in one line": (
        "1)控えは見られますか 2)費用はかかりますか",
        ["1)控えは見られますか", "2)費用はかかりますか"],
    ),
    "circled numbers": ("①控えは見られますか\n②費用はかかりますか", ["控えは見られますか", "費用はかかりますか"]),
    "a wish after a question": (f"{COST}あと、控えの見方も知りたいです。", [COST, "あと、控えの見方も知りたいです。"]),
    "half-width kana throughout": (
        "ﾋﾖｳﾊ ｶｶﾘﾏｽｶ｡\nﾋｶｴﾊ ﾄﾞｺﾃﾞ ﾐﾗﾚﾏｽｶ｡",
        ["ひようは かかりますか。", "ひかえは どこで みられますか。"],
    ),
    "two in English": ("How much is it? Where is my copy?", ["how much is it?", "where is my copy?"]),
}


@pytest.mark.parametrize(("body", "text"), ONE.values(), ids=ONE)
def test_one_question_is_found_without_what_is_around_it(body: str, text: str) -> None:
    found = questions_of("お尋ね", body)
    assert (found.whole.text, found.units) == (text, ())


@pytest.mark.parametrize(("body", "units"), SEVERAL.values(), ids=SEVERAL)
def test_several_questions_are_told_apart(body: str, units: list[str]) -> None:
    found = questions_of("お尋ね", body)
    assert [unit.text for unit in found.units] == units
    assert [unit.context for unit in found.units] == units
    for unit in units:
        assert unit.replace(" ", "") in found.whole.text.replace(" ", "")


@pytest.mark.parametrize(
    "body",
    [
        "費用はかかりますか。\n恐れ入りますが、控えはどこで見られますか。",
        "費用はかかりますか。\nお手数ですが、控えはどこで見られますか。",
        "費用はかかりますか。\n初めてですが、控えはどこで見られますか。",
        "How much is it?\nThank you. Where is my copy?",
        "How much is it?\nHidden costs: are there any?",
    ],
    ids=["excuse me", "a trouble", "the first time", "thank you", "a word that begins like a greeting"],
)
def test_a_courtesy_in_front_of_a_question_does_not_hide_it(body: str) -> None:
    assert len(questions_of("お尋ね", body).units) == 2


FORWARDED = "-----Original Message-----\nFrom: suzuki@contractor.example\nSubject: 契約\n\n"


def test_a_mail_handed_on_without_a_question_is_the_question() -> None:
    found = questions_of("Fw: 契約の件", f"転送いたします。\n\n{FORWARDED}{COPY}")
    assert found.whole.text == f"転送いたします。 {COPY}"
    assert found.units == ()


def test_a_mail_handed_on_with_a_question_of_its_own_asks_both() -> None:
    found = questions_of("Fwd: 契約の件", f"次の件、いかがでしょうか。\n\n{FORWARDED}{COPY}")
    assert [unit.text for unit in found.units] == ["次の件、いかがでしょうか。", COPY]


def test_the_same_in_a_reply_asks_only_what_is_ones_own() -> None:
    found = questions_of("Re: 契約の件", f"次の件、いかがでしょうか。\n\n{FORWARDED}{COPY}")
    assert found.whole.text == "次の件、いかがでしょうか。"


def test_the_fields_of_a_mail_handed_on_are_no_part_of_the_question() -> None:
    found = questions_of("転送: 契約", f"件名の通りです。\n\n{FORWARDED}差出人: 鈴木\n日時: 今日\n{COPY}")
    assert "差出人" not in found.whole.context
    assert "suzuki" not in found.whole.context


@pytest.mark.parametrize("body", ["", " \n　\n\t\n"], ids=["nothing", "white space"])
def test_a_mail_without_text_asks_its_subject(body: str) -> None:
    assert questions_of("控えの場所を教えてください", body).whole.text == "控えの場所を教えてください"


@pytest.mark.parametrize(
    "body",
    ["お世話になっております。\n鈴木です。\nよろしくお願いします。", "-----\n", "-- \n例示商会\nTEL 03-0000-0000\n"],
    ids=["courtesies", "a rule", "a signature"],
)
def test_a_mail_that_says_nothing_of_its_own_asks_its_subject(body: str) -> None:
    assert questions_of("控えの場所を教えてください", body).whole.text == "控えの場所を教えてください"


def test_a_mail_of_nothing_asks_nothing() -> None:
    found = questions_of(" ", "\n \n")
    assert (found.whole.text, found.units) == ("", ())


def test_the_context_keeps_what_the_cleaning_took_and_the_subject() -> None:
    found = questions_of("Ｒｅ： 控え", f"お世話になっております。\n{COPY}\n> 引用\n--\n鈴木")
    assert found.whole.context == f"re: 控え\nお世話になっております。 {COPY} -- 鈴木"


def test_more_questions_than_a_person_would_ask_are_cut_off() -> None:
    body = "\n".join(f"{number}. 費用{number}はかかりますか。" for number in range(1, MAX_UNITS + 3))
    assert len(questions_of("お尋ね", body).units) == MAX_UNITS


def test_a_long_mail_is_read_to_a_limit_and_no_further() -> None:
    found = questions_of("件" * 600, "あ" * (MAX_CHARACTERS + 1))
    assert found.whole.text == "あ" * MAX_CHARACTERS
    assert found.whole.context == f"{'件' * 500}\n{'あ' * MAX_CHARACTERS}"


def test_the_subject_of_a_mail_is_not_asked_beside_its_text() -> None:
    assert questions_of(COPY, COST).whole.text == COST


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("ｹｲﾔｸ", "契約".replace("契約", "ケイヤク")),
        ("１１月〜１２月", "11月~12月"),
        ("A−B", "a-b"),
        ("ﾊﾟｰﾄﾅｰ", "パートナー"),
    ],
)
def test_what_people_type_for_one_another_becomes_the_same(written: str, same: str) -> None:
    assert normalised(written) == same
    assert normalised(same) == same


def test_ngrams_stay_inside_words() -> None:
    assert char_ngrams("ab、c d") == ["a", "b", "ab", "c", "d"]
    assert "ること" in char_ngrams("することが")
    assert char_ngrams("、。 \n") == []


def test_words_are_runs_of_one_script_and_neighbouring_pairs() -> None:
    assert words("契約書をcloudで") == ["契約書", "を", "cloud", "で", "契約書を", "をcloud", "cloudで"]


HOSTILE: dict[str, Callable[[int], str]] = {
    "blank lines": lambda n: "\n" * n,
    "one long line": lambda n: "あ" * n,
    "one long word of an address": lambda n: "a" * n,
    "quotation marks": lambda n: ">" * n,
    "lines of quotation": lambda n: "> \n" * (n // 3),
    "heads of replies": lambda n: "On x wrote:\n" * (n // 12),
    "heads that do not end": lambda n: ("on " + "x" * 196 + "\n") * (n // 200),
    "bullets": lambda n: "・" * n,
    "lines of bullets": lambda n: "・あ\n" * (n // 3),
    "numbers": lambda n: "1. あ\n" * (n // 5),
    "lines of dashes": lambda n: ("-" * 78 + "x\n") * (n // 80),
    "spaced dashes": lambda n: "- " * (n // 2) + "x",
    "words that ask": lambda n: "か" * n,
    "sentences that ask": lambda n: "か。" * (n // 2),
    "an end that never comes": lambda n: "か" + "。" * n + "x",
    "question marks": lambda n: "?" * n,
    "white space": lambda n: " " * n + "x",
    "courtesies": lambda n: "様、" * (n // 2) + "x",
    "lines that go on": lambda n: "・あ\n" + "い\n" * (n // 2),
}
SUPERLINEAR: dict[str, Callable[[int], str]] = {
    "one line of dashes": lambda n: "-" * n + "x",
    "marks over one letter": lambda n: "a" + "\u0301\u0327" * (n // 2),
}


def _seconds(body: str) -> float:
    """The best of three: whatever else the machine does only makes it longer."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        questions_of("", body)
        best = min(best, time.process_time() - began)
    return best


def _grows_linearly(mail: Callable[[int], str]) -> bool:
    # A quadratic scan takes 256 times as long for 16 times the text; a millisecond is what no clock tells apart.
    least, size = 0.001, MAX_CHARACTERS // 16
    small = max(_seconds(mail(size)), least)
    return all(_seconds(mail(size * times)) < 6 * times * small for times in (4, 16))


@pytest.mark.parametrize("mail", HOSTILE.values(), ids=HOSTILE)
def test_a_mail_sixteen_times_as_long_takes_hardly_more_than_sixteen_times(mail: Callable[[int], str]) -> None:
    assert _grows_linearly(mail)


@pytest.mark.parametrize("mail", SUPERLINEAR.values(), ids=SUPERLINEAR)
def test_a_mail_made_to_take_long_does_not(mail: Callable[[int], str]) -> None:
    assert _grows_linearly(mail)


def test_text_beyond_the_limit_costs_next_to_nothing() -> None:
    assert _seconds("あ" * MAX_CHARACTERS + "\u0301\u0327" * 10_000) < 20 * max(_seconds("あ" * MAX_CHARACTERS), 0.001)


def test_the_form_of_a_mail_is_seen() -> None:
    found = questions_of("Re: 契約の件", f"{COST}\nまた、{COPY}\n> 費用はかかりません。")
    assert found.reply
    assert (found.requests, found.joins) == (2, 1)
    assert "費用はかかりません。" in found.everything
    assert not questions_of("契約の件", COST).reply

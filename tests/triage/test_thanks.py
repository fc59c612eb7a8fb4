"""Nothing but thanks is told from everything else; in doubt a person reads it."""

from email.message import EmailMessage

import pytest

from responder.mail.message import Message, parse_message
from responder.triage.thanks import only_thanks

OURS_TEXT = """お問い合わせいただき、ありがとうございます。
電子契約サポート窓口でございます。

署名の依頼メールは、72時間を過ぎると開くことができません。
その場合は、このメールにそのままご返信ください。
------------------------------
電子契約サポート窓口
support@example.jp
"""


def _read(
    text: str,
    *,
    subject: str,
    name: str = "田中 太郎",
    html: str = "",
    address: str = "tanaka@contractor.example",
    automatic: bool = False,
) -> Message:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = f"{name} <{address}>", subject
    if automatic:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(text)
    if html:
        mail.add_attachment(b"x", maintype="image", subtype="png", filename=html)
    message = parse_message(mail.as_bytes())
    assert isinstance(message, Message)
    return message


OURS = _read(OURS_TEXT, subject="自動返信: お尋ね", name="電子契約サポート窓口", address="support@example.jp")


def _is_thanks(text: str, *, subject: str = "Re: 自動返信: お尋ね", name: str = "田中 太郎") -> bool:
    return only_thanks(_read(text, subject=subject, name=name), OURS)


THANKS = [
    "ありがとうございました。",
    "ありがとうございました、助かりました",
    "解決しました。",
    "解決しました",
    "承知しました",
    "承知いたしました。ありがとうございます。",
    "無事に解決いたしました。ありがとうございました！",
    "おかげさまで問題が解決しました。",
    "ご回答いただき、ありがとうございます。",
    "早速のご返信ありがとうございます。承知いたしました。",
    "ご丁寧に教えていただき、誠にありがとうございました。",
    "ご対応いただきまして感謝申し上げます。",
    "お忙しい中ご連絡いただきありがとうございます。了解しました。",
    "よく分かりました。ありがとうございます。",
    "大変参考になりました。",
    "かしこまりました。よろしくお願いいたします。",
    "無事ログインできました。ありがとうございました。",
    "問題なく締結できました。お手数をおかけしました。",
    "有難う御座いました",
    "ありがとうございました♪",
    "取り急ぎお礼まで申し上げます。ありがとうございました。",
    "お世話になっております。\n株式会社ひまわり商事の田中です。\nご回答ありがとうございました。\n"
    "\n今後ともよろしくお願いいたします。",
    "電子契約サポート窓口 御中\n\n田中です。\n解決しました。",
    "サポート窓口 ご担当者様\n\nご教示いただき、ありがとうございました。\n\n"
    "--\n株式会社ひまわり商事\n田中 太郎\nTEL 03-1234-5678",
    "ありがとうございます。\n\niPhoneから送信",
    "ありがとうございました。\n\n田中 太郎\ntanaka@contractor.example",
    "Thank you very much!",
    "Thanks, that helped a lot.",
    "Thank you for your quick reply. It is resolved now.",
    "Perfect, thank you.",
    "Solved. Thanks again!",
    "Understood, thank you for the explanation.\n\nBest regards,\n田中 太郎",
    "Hello,\nmy problem is solved. Many thanks for your help.\nKind regards",
    "ありがとうございました。\n--\n株式会社ひまわり商事 営業部\n部長 田中 太郎\n〒100-0001 東京都千代田区千代田1-1\n"
    "TEL: 03-1234-5678 / FAX: 03-1234-5679\nE-mail: tanaka@contractor.example\nURL: https://www.contractor.example/",
    "ありがとうございました。\n-----\n(株)山田商店\n総務部 田中\n携帯:090-1234-5678",
    "承知しました。\n\n株式会社ひまわり商事\n総務部\n田中",
    "電子契約サポート窓口 ご担当者様\n\n株式会社ひまわり商事 営業部の田中です。\nありがとうございました。",
    "Thank you.\n--\n田中 太郎\nSales Manager\nHimawari Trading Co., Ltd.\nPhone: +81-3-1234-5678",
]
"""Of every kind that was thought of; what is no exact match is no thanks, so there are others that people read."""

NOT_ONLY = [
    "解決していません。",
    "解決しませんでした。",
    "まだ解決しておりません。ありがとうございました。",
    "助かりません。",
    "ありがとうございます。ですが、まだログインできません。",
    "ありがとうございます。ただ、期限が切れています。",
    "ありがとうございました。しかし、画面が開きません。",
    "ありがとうございます。一つ目は解決しました。",
    "ありがとうございます。一つ目は解決しましたが、二つ目が分かりません。",
    "解決しましたか？",
    "これで解決でしょうか。",
    "承知しました。期限はいつまでですか",
    "承知しました。では変更をお願いします。",
    "ありがとうございます。ご回答よろしくお願いします。",
    "ありがとうございます、ご対応よろしくお願いいたします",
    "教えていただければ助かります。",
    "ご連絡いただけると助かります。",
    "早急なご対応助かります。",
    "ありがとうございます。再送してください。",
    "ありがとうございます。担当者に電話をください。",
    "ありがとうございます。ところで、印紙は必要でしょうか。",
    "ありがとうございました。別件で、住所が変わりました。",
    "ありがとうございました。なお、住所が変わりました。",
    "承知できません。",
    "了解できかねます。",
    "分かりませんでした。ありがとうございました。",
    "問題が解決しましたら連絡します。",
    "解決したいです。ありがとうございます。",
    "解決しないままです。ありがとうございます。",
    "ありがとうございます。メールが届いていません。",
    "ありがとうございます。エラーです。",
    "ありがとうございます。前回と同様",
    "ありがとうございます。この仕様",
    "ありがとうございます。\n未解決です。",
    "よろしくお願いいたします。",
    "田中です。",
    "",
    "?",
    "はい",
    "問題ございません。",
    "登録しました。",
    "ありがとうございました。\n\n--\n田中\nまだ開けません",
    "ありがとうございました。\n\n-----\n田中\n至急連絡乞う",
    "ありがとうございました。\n\n株式会社名不明です",
    "ありがとうございました。\nhttps://contract.example/1 無効",
    "ありがとうございます。承知しました。解決しました。助かりました。参考になりました。了解しました。よろしくお願いします。",
    "株式会社ひまわり商事 契約解除\nありがとうございます",
    "ありがとうございます。\n-----\n印鑑紛失\n田中",
    "support@example.jp 迷惑メール扱\nありがとうございます",
    "mobile 090-1111-2222 call me\nthanks",
    "ありがとうございました。" * 40,
    "Thanks, but it still does not work.",
    "Thank you. Could you send it again?",
    "Thanks. It is not solved.",
    "It worked yesterday.",
    "Thanks in advance for your reply.",
    "Thank you for nothing",
    "Please help. Thanks.",
    "Solved? No.",
    "Merci beaucoup",
    "Thanks\n\nP.S. the second contract is missing",
    *(
        f"{thanks}\n{rule}{line}"
        for thanks in ("ありがとうございます。", "Thanks.")
        for rule in ("", "--\n", "--\n田中 太郎\n")
        for line in (
            "一度お電話ください。",
            "折り返し電話ください",
            "お電話をいただければと",
            "The mobile app crashes.",
            "The mail came blank.",
            "E-mail the signed PDF to a@b.example",
            "https://contract.example/sign/1 gives an error",
            "https://contract.example/sign/1",
            "新しい電話 090-1234-5678",
            "Our company name changed to ABC Inc.",
            "Invoice ABC Inc.",
            "株式会社山田の場合は",
            "株式会社山田 印影",
            "締切いつ 佐藤様",
            "パスワード忘れ 担当者様",
            "ところで料金はいくら",
            "あとPDFの開き方は",
            "One more thing: the PDF came blank.",
            "料金表",
            "〒100-0001 住所が違う",
            "契約",
            "窓口です",
        )
    ),
    "ありがとうございます。\n携帯 090-1234-5678",
    "ありがとうございます。\n--\n090-1234-5678",
    "はい、ありがとうございます。",
    "Yes, thank you.",
    "Ok, thanks.",
    "Okay. Thanks.",
]


@pytest.mark.parametrize("text", THANKS)
def test_nothing_but_thanks_is_known_as_such(text: str) -> None:
    assert _is_thanks(text)


@pytest.mark.parametrize("text", NOT_ONLY)
def test_whatever_else_is_said_goes_to_a_person(text: str) -> None:
    assert not _is_thanks(text)


QUOTED = "\n".join(f"> {line}" for line in OURS_TEXT.splitlines())
OUTLOOK_HEAD = (
    "差出人: 電子契約サポート窓口 <support@example.jp>\n"
    "送信日時: 2026年11月24日 18:00\n宛先: 田中\n件名: 自動返信: お尋ね\n"
)


@pytest.mark.parametrize(
    ("text", "thanks"),
    [
        (f"解決しました。\n\n2026年11月24日(火) 18:00 電子契約サポート窓口 <support@example.jp>:\n{QUOTED}", True),
        (f"Thanks!\n\nOn Tue, Nov 24, 2026 at 6:00 PM 窓口 <support@example.jp>\nwrote:\n\n{QUOTED}", True),
        (f"解決しました。\n\n2026年11月24日(火) 18:00 電子契約サポート窓口\n<support@example.jp>:\n{QUOTED}", True),
        (f"解決しました。\n\n2026/11/24 18:00、窓口 <support@example.jp>のメール:\n\n{OURS_TEXT}", True),
        (f"解決しました。\n\n________________________________\n{OUTLOOK_HEAD}\n{OURS_TEXT}", True),
        (f"解決しました。\n\n-----Original Message-----\n{OUTLOOK_HEAD}\n{OURS_TEXT}", True),
        (f"{QUOTED}\n\n解決しました。", True),
        (f"解決しました。\n{QUOTED}\n二つ目はどうですか。", False),
        (f"{QUOTED.replace('> その場合', 'こちらが開けません。その場合')}\n解決しました。", False),
        (f"解決しました。\n\n-----Original Message-----\n{OUTLOOK_HEAD}\n{OURS_TEXT}\n二つ目はまだです", False),
        (f"解決しました。\n\n-----Original Message-----\n{OUTLOOK_HEAD}\n{OURS_TEXT}\nできません", False),
        ("ありがとうございます。\n> 契約番号:A-123", False),
        (f"ありがとうございます。\n{QUOTED}\n> 料金はいくらですか", False),
        (f"解決しました。\n\n-----Original Message-----\n{OUTLOOK_HEAD}\n{QUOTED}\n> 料金はいくらですか", False),
        (f"ありがとうございます。\n{QUOTED.replace('ご返信ください。', 'ご返信ください。済')}", False),
        ("ありがとうございます。\n> 署名の依頼メールは、72時間を過ぎると開く\n> ことができません。\n", True),
        (f"Thanks.\n\nFrom: 窓口 <support@example.jp>\nSubject: and where do I sign?\n\n{OURS_TEXT}", False),
        (f"Thanks.\n\nFrom: 窓口 <support@example.jp>\nTo: nobody can sign\n\n{OURS_TEXT}", False),
        (f"Thanks.\n\nFrom: 窓口 <support@example.jp>\nDate: not before May 2027\n\n{OURS_TEXT}", False),
        ("Thanks.\n\nFrom: where do I sign?", False),
        ("Thanks.\n\nOn second thought I do not see what you wrote:", False),
        ("Thanks.\n\n2026/11/24 18:00に開けなかった:", False),
        (
            f"Thanks.\n\nFrom: 電子契約サポート窓口 <support@example.jp>\nSent: Tuesday, November 24, 2026 6:00 PM\n"
            f"To: 田中 太郎 <tanaka@contractor.example>; a@b.example\nSubject: 自動返信: お尋ね\n\n{OURS_TEXT}",
            True,
        ),
        ("解決しました。\n\n-----Original Message-----\n差出人: 佐藤\n\n別の方の文章がここに続いております。", False),
    ],
    ids=[
        "Gmail in Japanese",
        "Gmail in English, its head folded",
        "Gmail in Japanese, its head folded",
        "Apple Mail, without marks",
        "Outlook, without marks",
        "Outlook of old",
        "thanks below the quotation",
        "a question below the quotation",
        "an answer between quoted lines",
        "a question at the end of a quotation without marks",
        "two words of ours, said by them under a quotation without marks",
        "a form of ours filled in behind marks",
        "a question of theirs behind marks",
        "a question of theirs behind marks under a head",
        "a word added to a line behind marks",
        "a line of ours that the marks have broken in two",
        "a question for a subject in a head",
        "words for a name in a head",
        "words for a date in a head",
        "a question for an author in a head",
        "a sentence that looks like a head",
        "a sentence that begins with a date",
        "Outlook in English",
        "a quotation that is not of our mail",
    ],
)
def test_what_is_quoted_says_nothing_and_what_is_written_into_it_counts(text: str, thanks: bool) -> None:
    assert _is_thanks(text) is thanks


def test_a_subject_of_their_own_is_read_too() -> None:
    assert not _is_thanks("ありがとうございます。", subject="まだログインできません")
    assert not _is_thanks("ありがとうございます。", subject="Re: 自動返信: お尋ね まだです")
    assert _is_thanks("ありがとうございます。", subject="RE: Re: お尋ね")


def test_a_name_is_left_out_only_where_their_mailer_gives_it() -> None:
    assert _is_thanks("田中です。\n解決しました。")
    assert not _is_thanks("鈴木です。\n解決しました。")
    assert not _is_thanks("まだです。\nありがとうございます。", name="まだ です")


def test_an_attachment_is_never_only_thanks() -> None:
    message = _read("ありがとうございました。", subject="Re: 自動返信: お尋ね", html="screen.png")
    assert not only_thanks(message, OURS)


@pytest.mark.parametrize(
    "unit",
    [
        "ありがとうございました",
        "ご回答",
        "> a\n",
        "On a <",
        "thanks and ",
        "-",
        "2026年1",
        "2026年1 1 1 1",
        "on 1111",
        "sent: 1 ",
    ],
)
def test_a_long_mail_of_the_same_takes_no_time(unit: str) -> None:
    assert not _is_thanks(unit * 50_000)
    assert _is_thanks(unit * (19_000 // len(unit))) in (True, False)


ASKING = "お世話になっております。\n契約の依頼を再送してもよろしいでしょうか。\n佐藤\n"


@pytest.mark.parametrize(("automatic", "thanks"), [(False, False), (True, True)], ids=["a person", "a machine"])
@pytest.mark.parametrize("text", ["承知しました。", "ありがとうございます。"])
def test_what_a_person_of_ours_asked_is_answered_by_whatever_they_say(text: str, automatic: bool, thanks: bool) -> None:
    ours = _read(ASKING, subject="お尋ね", name="窓口", automatic=automatic)
    assert only_thanks(_read(text, subject="Re: お尋ね"), ours) is thanks


def test_the_person_who_signed_our_mail_is_greeted_by_name() -> None:
    ours = _read("ご案内いたします。\n佐藤\n", subject="お尋ね", name="窓口")
    assert only_thanks(_read("佐藤様\nありがとうございます。", subject="Re: お尋ね"), ours)
    assert not only_thanks(_read("鈴木様\nありがとうございます。", subject="Re: お尋ね"), ours)
    assert not only_thanks(_read("ご案内 佐藤様\nありがとうございます。", subject="Re: お尋ね"), ours)

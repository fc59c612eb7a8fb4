"""The language of a mail is told from what it asks, not from the names, disclaimers and answers around that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.corpus import load_corpus
from responder.triage.language import Language, language_of
from responder.triage.questions import questions_of
from tests.knowledge import ROOT


def _language(body: str, subject: str = "") -> Language | None:
    return language_of(questions_of(subject, body))


OTHERS = {
    "French": [
        "Pouvons-nous utiliser une adresse e-mail partagée pour le signataire autorisé du contrat ?",
        "Bonjour, le document reçu par CloudSign contient une erreur. Que devons-nous faire pour obtenir une version"
        " corrigée ?",
        "Combien de temps les documents signés sont-ils conservés ?",
        "Est-il possible de conclure un contrat entre trois parties avec CloudSign ?",
        "Pouvez-vous nous confirmer que ce message de CloudSign est authentique ? Merci d'avance.",
        "pouvons nous telecharger le PDF avant la signature du contrat electronique",
    ],
    "German": [
        "Dürfen wir eine gemeinsame E-Mail-Adresse für den Unterzeichner verwenden?",
        "Guten Tag, im Vertrag, den wir über CloudSign erhalten haben, ist der Betrag falsch. Was sollen wir tun?",
        "Wie lange werden die unterzeichneten Dokumente in CloudSign aufbewahrt?",
        "Unsere Firewall wird ausgetauscht, und die IP-Adresse wird sich ändern. Gibt es bei Ihnen eine"
        " Zugriffsbeschränkung?",
        "Kann ein Vertrag mit drei Parteien in CloudSign geschlossen werden?",
        "Was ist das hier? Wer hat das an uns geschickt?",
        "Was ist in der Mail, die wir so bekommen, als Link zu sehen, und wo ist das Formular?",
    ],
    "Spanish": [
        "¿Podemos usar una dirección de correo compartida para el firmante autorizado?",
        "Hola, el contrato que recibimos por CloudSign tiene un error en el importe. ¿Qué debemos hacer?",
        "¿Cuánto tiempo se conservan los documentos firmados en CloudSign?",
        "Por favor, indiquenos si es posible firmar un contrato entre tres partes.",
        "No recibo el correo. Me lo puede enviar a mi direccion personal?",
    ],
    "Portuguese": [
        "Podemos usar um endereço de e-mail compartilhado para o signatário autorizado?",
        "O contrato que recebemos pelo CloudSign tem um erro. Como devemos proceder?",
        "Por quanto tempo os documentos assinados ficam guardados no CloudSign?",
        "Por favor, me informe se o contrato pode ser assinado por tres partes.",
    ],
    "Italian": [
        "Possiamo usare un indirizzo e-mail condiviso per il firmatario autorizzato?",
        "Per quanto tempo vengono conservati i documenti firmati su CloudSign?",
        "Il contratto contiene un errore: come possiamo rifiutare il documento e ricevere una versione corretta?",
    ],
    "a mixture": [
        "Hello, je voudrais savoir si on peut use the shared mailbox",
        "Hi, wir haben eine Frage zum Contract Management in CloudSign: is das Dokument for review only?",
    ],
    "Dutch": [
        "Mogen we een gedeeld e-mailadres gebruiken voor de tekenbevoegde persoon?",
        "Hoe lang worden de ondertekende documenten in CloudSign bewaard?",
        "Kan we het document in CloudSign bewaren, of is het na een jaar weg? We zijn in de war.",
        "Is het mogelijk om het contract met drie partijen te tekenen? We zijn benieuwd wat de stappen zijn.",
    ],
    "Vietnamese": [
        "Chúng tôi có thể dùng chung một địa chỉ email cho người ký hợp đồng không?",
        "Tài liệu đã ký được lưu trên CloudSign trong bao lâu?",
        "Hợp đồng có lỗi thì chúng tôi phải làm gì?",
        "Chung toi co the dung chung mot dia chi email cho nguoi ky hop dong khong?",
    ],
    "Indonesian": [
        "Apakah kami boleh memakai alamat email bersama untuk penandatangan kontrak?",
        "Berapa lama dokumen yang sudah ditandatangani disimpan di CloudSign?",
        "Mohon informasi apakah kontrak tiga pihak dapat dilakukan dengan kontrak elektronik.",
        "Ada kesalahan di dokumen yang kami terima. Apa yang harus kami lakukan?",
    ],
    "Tagalog": ["Puwede po ba naming gamitin ang iisang email address para sa pipirma at sa contact person?"],
    "Turkish": ["Sözleşme için ortak bir e-posta adresi kullanabilir miyiz?"],
    "Polish": [
        "Czy możemy użyć wspólnego adresu e-mail dla osoby podpisującej umowę?",
        "Do jaki adres mamy to wyslac i do kiedy?",
    ],
    "Swedish": ["Kan vi använda en gemensam e-postadress för den som undertecknar avtalet?"],
    "Danish": ["Kan vi have en felles e-mail for den person, der skal underskrive? Vi vil have svar i dag."],
    "Finnish": ["Voimmeko käyttää yhteistä sähköpostiosoitetta sopimuksen allekirjoittajalle?"],
    "Japanese in Latin script": [
        "Kyouyuu no meeru adoresu wo tsukatte mo yoroshii desho u ka.",
        "Keiyakusho ni machigai ga atta baai wa dou sureba ii desu ka",
    ],
    "simplified Chinese": [
        "请问可以使用共享邮箱作为签约人的邮箱吗？",
        "您好，合同内容有误，应该如何处理？",
        "签署后的文件保存多久？",
        "我们是サンプル株式会社，请问三方合同也可以用CloudSign签署吗？",
        "電子合同的保管期限多久呢",
    ],
    "traditional Chinese": [
        "請問簽署完成的文件會保存多久？",
        "我們可以使用共用信箱嗎？",
        "合約內容有錯誤，請問應該怎麼處理？",
        "您好，三方契約也能使用電子簽約嗎",
    ],
    "Chinese without a telling character": ["電子合約署名完成之後文件保存期限如何計算敬請賜知"],
    "Korean": [
        "계약 체결 권한자에게 공용 이메일 주소를 사용해도 됩니까?",
        "서명이 완료된 문서는 CloudSign에 얼마나 보관됩니까?",
    ],
    "Thai": ["เราสามารถใช้อีเมลร่วมกันสำหรับผู้ลงนามในสัญญาได้หรือไม่", "เอกสารที่ลงนามแล้วจะถูกเก็บไว้นานเท่าไร"],
    "Russian": [
        "Можно ли использовать общий почтовый ящик для подписанта договора?",
        "Здравствуйте, в договоре CloudSign есть ошибка. Что нам делать?",
    ],
    "Ukrainian": ["Чи можна укласти тристоронній договір через CloudSign?"],
    "Arabic": ["هل يمكننا استخدام عنوان بريد إلكتروني مشترك للموقّع؟"],
    "Hindi": ["क्या हम हस्ताक्षरकर्ता के लिए साझा ईमेल पते का उपयोग कर सकते हैं?"],
    "no language": ["gmail", "???", "12345", "(´Д`)"],
}


@pytest.mark.parametrize(
    "body",
    [pytest.param(body, id=f"{tongue} {number}") for tongue in OTHERS for number, body in enumerate(OTHERS[tongue])],
)
def test_another_language_is_taken_for_neither_japanese_nor_english(body: str) -> None:
    assert _language(body) is Language.OTHER


@pytest.mark.parametrize(
    "body",
    [
        "Is a shared mailbox OK for the signatory, or must he have his own?",
        "How long are documents stored?",
        "my english is not good sorry. boss mail and my mail is same, it is ok?",
        "Hola! Does your contract site only let certain IP addresses in, or is anyone able to open it?",
        "Must José García and Zoë Müller both have an address of their own for the electronic contract?",
    ],
    ids=["short", "shorter", "broken", "a greeting in Spanish", "names with accents"],
)
def test_english_is_english(body: str) -> None:
    assert _language(body) is Language.ENGLISH


@pytest.mark.parametrize(
    "body",
    [
        "保管期間如何",
        "承認順",
        "承認は誰から？",
        "了解！",
        "2社+貴機構=3。電子OK?",
        "URLは？",
        "ｷｮｳﾕｳ ｱﾄﾞﾚｽ ﾃﾞﾓ ﾖｲﾃﾞｽｶ",
        "Shared mailbox でもよいですか。",
        "SPF、DKIM、DMARC、Amazon SESのことですが、受信できますか",
        "「Agree to the terms of use and open」を押した後、PDFを閉じることはできますか。",
        "弊社の會田と邊見が署名します。問題ないでしょうか。",
    ],
    ids=lambda body: str(body)[:12],
)
def test_japanese_is_japanese_however_short_and_whatever_it_names(body: str) -> None:
    assert _language(body) is Language.JAPANESE


THANKS = "Hello, thank you for your support."
JAPANESE = "部署の共有メールアドレスを契約締結権限者の分として届け出てもよろしいでしょうか。"
ENGLISH = "May we register our shared mailbox for the authorised signatory as well?"
DISCLAIMER = (
    "This e-mail and any files with it are confidential and intended only for the person to whom they are addressed. "
    "If you have received it by mistake, please tell us and delete it; you must not copy it or show it to others."
)
DISCLAIMER_JA = (
    "本メールには機密情報が含まれることがあります。"
    "誤って受信された場合は、削除のうえご連絡くださいますようお願いします。"
)


@pytest.mark.parametrize(
    ("body", "language"),
    [
        (f"{JAPANESE}\n\nBest regards,\nJohn Smith\nHead of Procurement, Meridian Consulting G.K.", Language.JAPANESE),
        (f"{JAPANESE}\n\n{DISCLAIMER}", Language.JAPANESE),
        (f"{JAPANESE}\n\n> {ENGLISH}\n> {DISCLAIMER}", Language.JAPANESE),
        (f"{ENGLISH}\n\n株式会社ひまわり商事\n調達部　田中 太郎\n東京都千代田区丸の内1-2-3", Language.ENGLISH),
        (f"John (ひまわり商事) here. {ENGLISH}", Language.ENGLISH),
        (f"{ENGLISH}\n\n{DISCLAIMER_JA}", Language.ENGLISH),
        (f"Please let us know for how long a document is kept.\n\n> {JAPANESE}\n> {DISCLAIMER_JA}", Language.ENGLISH),
        ("What should we enter in 契約締結権限者 of the 電子契約確認書 if he is abroad?", Language.ENGLISH),
        ("If we click 「利用規約に同意して開く」, can we go on to 「書類の内容に同意」 later?", Language.ENGLISH),
        ("Dürfen wir eine gemeinsame Adresse verwenden?\n\n株式会社ひまわり\n" + DISCLAIMER_JA, Language.OTHER),
        ("Dürfen wir für die Unterzeichnung eine gemeinsame Adresse verwenden?\n\n" + DISCLAIMER, Language.OTHER),
        (f"{THANKS} Können wir eine gemeinsame E-Mail-Adresse für den Unterzeichner verwenden?", Language.OTHER),
        (f"{THANKS} Moeten de contactpersoon en de ondertekenaar een apart adres hebben?", Language.OTHER),
        ("请问可以使用共享邮箱吗？\n\n" + DISCLAIMER_JA, Language.OTHER),
        ("계약 체결 권한자에게 공용 이메일 주소를 사용해도 됩니까?\n\n株式会社サンプル", Language.OTHER),
    ],
    ids=[
        "an English signature", "an English disclaimer", "an English mail quoted", "a Japanese signature",
        "a Japanese company in the first sentence", "a Japanese disclaimer", "a Japanese answer quoted",
        "Japanese terms", "Japanese buttons", "German above Japanese", "German above English", "German below English",
        "Dutch below English", "Chinese above Japanese", "Korean above a company in Japan",
    ],
)  # fmt: skip
def test_the_question_counts_and_not_what_stands_around_it(body: str, language: Language) -> None:
    assert _language(body) is language


@pytest.mark.parametrize(
    ("body", "subject", "language"),
    [
        (ENGLISH, "Re: 書類の確認をお願いします", Language.ENGLISH),
        (JAPANESE, "Re: Please review the document", Language.JAPANESE),
        ("OK?", "共有アドレスの件", Language.JAPANESE),
        ("", "Can we use a shared mailbox for the signatory?", Language.ENGLISH),
        ("", "", None),
    ],
)
def test_the_subject_counts_where_the_text_says_too_little(body: str, subject: str, language: Language | None) -> None:
    assert _language(body, subject) is language


def test_the_labelled_mails_are_told_apart() -> None:
    """Hundreds in English, thousands in Japanese: what is not plain may go to a person, but none goes astray."""
    unsure = 0
    # What machines write (an English report about a Japanese mail) is in no language that could be answered.
    people = [example for example in load_corpus(ROOT / "faq_corpus").examples if example.kind != "noise"]
    for example in people:
        questions = questions_of(example.subject, example.body)
        found = language_of(questions)
        unsure += found is Language.OTHER
        text = questions.whole.text
        assert found is not Language.ENGLISH or sum("a" <= letter <= "z" for letter in text) > 0.6 * len(text)
        assert found is not Language.JAPANESE or any("ぁ" <= letter <= "龥" for letter in text + questions.subject)
    assert unsure <= 8


@given(st.text(alphabet=st.sampled_from("aé .。?ぁァ一们\nД가the of"), max_size=300))
def test_whatever_a_mail_holds_it_has_a_language_or_nothing_to_say(text: str) -> None:
    assert (_language(text) is None) is (not questions_of("", text).whole.text)

"""Mails as contractors write them, for the tests of the staff pages."""

from email.message import EmailMessage
from email.policy import SMTP


def mail(subject: str, body: str, *, author: str = "田中 一郎 <tanaka@contractor.example>", number: int = 1) -> bytes:
    """One mail to our address, in UTF-8."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = author, "support@example.jp"
    made["Subject"] = subject
    made["Date"] = "Thu, 26 Nov 2026 10:00:00 +0900"
    made["Message-ID"] = f"<{number}.{abs(hash((subject, body))) % 10**9}@contractor.example>"
    made.set_content(body + "\n")
    return made.as_bytes()


PAYMENT = mail(
    "お支払日について",
    "お世話になっております。株式会社山田建設の田中です。\n\n先月分の請求書のお支払日はいつでしょうか。\n"
    "ご教示いただけますと幸いです。\n\n株式会社山田建設\n田中 一郎",
)

SEAL = mail(
    "印鑑証明書の提出について",
    "いつもお世話になっております。\n\n契約にあたり、印鑑証明書を郵送する必要はありますか。\nまた、有効期限はありますか。\n\n鈴木",
    author="鈴木 花子 <suzuki@other.example>",
    number=2,
)

SHARED = mail(
    "共有アドレスの利用について",
    "お世話になっております。\n\n部署の共有メールアドレスを契約担当者のアドレスとして使ってもよいでしょうか。\n\n"
    "よろしくお願いいたします。\n高橋",
    author="高橋 <takahashi@third.example>",
    number=3,
)

"""Mails made to break what reads them, each with what must become of it."""

from dataclasses import dataclass

from tests.mail.test_message import PLAIN, mail, multipart

AUTHOR = b"From: taro@example.jp"
INNER = b"Content-Type: message/rfc822\r\n%s\r\n" + mail(b"Subject: inner", body=b"INNER TEXT")
ZIP = b"Content-Type: application/zip; name=bomb.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"UEsD" * 1000
MARKS = "\u0316\u0301".encode()
HTML = b"Content-Type: text/html\r\n\r\n" + b"<p>x</p>" * 3_000


@dataclass(frozen=True, slots=True)
class Hostile:
    """One such mail. Either it is read, or not, for the reason whose words stand here."""

    raw: bytes
    unreadable: str = ""
    text: str = "hello"
    subject: str = ""
    attachments: tuple[str, ...] = ()
    """Their names."""


def _typed(value: bytes, body: bytes = b"hello") -> bytes:
    return mail(AUTHOR, b"Content-Type: " + value, body=body)


def _nested(depth: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))


def _html(body: bytes) -> bytes:
    return _typed(b"text/html", body)


FIELDS, HEADER, PARTS = "more than 1000 fields", "the header is longer", "more than 200 parts"

HOSTILE: dict[str, Hostile] = {
    "parts nested 3000 deep": Hostile(_nested(3000), PARTS),
    "parts nested 31 deep": Hostile(_nested(31), "nested deeper than 30"),
    "parts nested 29 deep": Hostile(_nested(29), text=""),
    "attached mails nested 3000 deep": Hostile(b"Content-Type: message/rfc822\r\n\r\n" * 3000, PARTS),
    "NUL in the charset": Hostile(_typed(b'text/plain; charset="utf-8\0"')),
    "NUL in a subject and a text": Hostile(b"Subject: \0a\r\n\r\n\0hello\0", subject="a"),
    "NUL in the name of a field": Hostile(b"F\0rom: a\r\n\r\nhello", text="From: a"),
    "two subjects": Hostile(mail(AUTHOR, b"Subject: one", b"Subject: two"), subject="one"),
    "100,000 beginnings of encoded words": Hostile(mail(AUTHOR, b"Subject: " + b"=?a?q?" * 100_000), HEADER),
    "40,000 beginnings of encoded words": Hostile(mail(AUTHOR, b"X: " + b"=?a?q?" * 40_000)),
    "20,000 encoded words": Hostile(mail(AUTHOR, b"X: " + b"=?a?q?b?= " * 20_000)),
    "300 KB of semicolons in a type": Hostile(_typed(b"text/plain" + b";" * 300_000), HEADER),
    "200 KB of semicolons in a type": Hostile(_typed(b"text/plain" + b";" * 200_000), "16 KiB"),
    "15 KB of semicolons in a type": Hostile(_typed(b"text/plain" + b";" * 15_000)),
    "20,000 parameters": Hostile(_typed(b"text/plain" + b"; a=b" * 20_000), "16 KiB"),
    "3,000 parameters": Hostile(_typed(b"text/plain" + b"; a=b" * 3_000)),
    "300 KB of semicolons in a part's type": Hostile(
        multipart(b"mixed", b"Content-Type: text/plain" + b";" * 300_000), "16 KiB"
    ),
    "400 KB of combining marks in a part's id": Hostile(
        multipart(b"mixed", b"Content-ID: " + MARKS * 100_000), "16 KiB"
    ),
    "190 parts with names of 15 KB": Hostile(
        multipart(b"mixed", *[b"Content-Type: a/b; name=" + b"x" * 15_000 + b"\r\n\r\n"] * 190), "256 KiB"
    ),
    "100,000 recipients": Hostile(mail(AUTHOR, b"To: " + b"a@b.example, " * 100_000), HEADER),
    "19,000 recipients": Hostile(mail(AUTHOR, b"To: " + b"a@b.example, " * 19_000)),
    "20,000 Received": Hostile(mail(AUTHOR, *[b"Received: by a"] * 20_000), HEADER),
    "1,001 fields": Hostile(mail(AUTHOR, *[b"a: b"] * 1000), FIELDS),
    "60,000 fields ended by bare carriage returns": Hostile(b"a:\r" * 60_000 + b"\r\rhello", FIELDS),
    "a header that never ends": Hostile(b"a: b\r\n" * 100_000, HEADER),
    "100,000 parts": Hostile(multipart(b"mixed", *[PLAIN] * 100_000), PARTS),
    "100,000 parts ended by bare carriage returns": Hostile(
        mail(b"Content-Type: multipart/mixed; boundary=e", body=b"--e\r\rhello\r" * 100_000), PARTS
    ),
    "20,000 parts behind a boundary in pieces": Hostile(
        mail(b"Content-Type: multipart/mixed; boundary*0=e; boundary*1=f", body=b"--ef\r\n\r\nhello\r\n" * 20_000),
        PARTS,
    ),
    "a multipart without a boundary": Hostile(_typed(b"multipart/mixed")),
    "a multipart that never begins": Hostile(_typed(b"multipart/mixed; boundary=e")),
    "a multipart that never ends": Hostile(_typed(b"multipart/mixed; boundary=e", b"--e\r\n\r\nhello")),
    "a multipart inside of itself": Hostile(
        _typed(
            b"multipart/mixed; boundary=e", b"--e\r\nContent-Type: multipart/mixed; boundary=e\r\n\r\n--e\r\n\r\nhello"
        ),
    ),
    "a path for a name": Hostile(
        multipart(b"mixed", b'Content-Type: a/b; name="../../etc/passwd"\r\n\r\nx'), text="", attachments=("passwd",)
    ),
    "a path of Windows, encoded": Hostile(
        multipart(b"mixed", b"Content-Disposition: attachment; filename*=utf-8''..%5C..%5Cwin.ini\r\n\r\nx"),
        text="",
        attachments=("win.ini",),
    ),
    "a name of dots": Hostile(
        multipart(b"mixed", b'Content-Disposition: attachment; filename=".."\r\n\r\nx'), text="", attachments=("",)
    ),
    "a line end in a name": Hostile(
        multipart(b"mixed", b"Content-Disposition: attachment; filename*=utf-8''a%0D%0Ab.pdf\r\n\r\nx"),
        text="",
        attachments=("a  b.pdf",),
    ),
    "an attached mail": Hostile(
        multipart(b"mixed", PLAIN, INNER % b"Content-Disposition: attachment\r\n"), text="plain", attachments=("",)
    ),
    "an attached mail without disposition": Hostile(
        multipart(b"mixed", PLAIN, INNER % b""), text="plain", attachments=("",)
    ),
    "an inline mail": Hostile(
        multipart(b"mixed", PLAIN, INNER % b"Content-Disposition: inline\r\n"), text="plain", attachments=("",)
    ),
    "winmail.dat": Hostile(
        multipart(b"mixed", PLAIN, b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx"),
        text="plain",
        attachments=("winmail.dat",),
    ),
    "a packed attachment is not unpacked": Hostile(
        multipart(b"mixed", PLAIN, ZIP), text="plain", attachments=("bomb.zip",)
    ),
    "the charset punycode": Hostile(
        _typed(b"text/plain; charset=punycode", b"hello" + b"-a" * 150_000), text="hello-a"
    ),
    "the charset idna": Hostile(_typed(b"text/plain; charset=idna", b"hello" + b".xn--a" * 50_000), text="hello.xn--a"),
    "the charset zlib": Hostile(_typed(b"text/plain; charset=zlib_codec")),
    "an encoded word in idna": Hostile(mail(AUTHOR, b"Subject: =?idna?q?a?="), subject="a"),
    "100,000 quotes in From": Hostile(mail(b"From: " + b'"' * 100_000)),
    "100,000 comments in From": Hostile(mail(b"From: " + b"(" * 100_000)),
    "a second header in a name": Hostile(mail(b'From: "=?utf-8?Q?a=0D=0ABcc:_v@example.com?=" <t@example.jp>')),
    "a second header in the subject": Hostile(mail(AUTHOR, b"Subject: =?utf-8?Q?a=0D=0ABcc:_v?="), subject="a  Bcc: v"),
    "line separators in the subject": Hostile(mail(AUTHOR, "Subject: a\u2028b\x85c".encode()), subject="a b c"),
    "octets in the name of a field": Hostile(mail(AUTHOR, b"X-\xff\xfe: a"), text="X-"),
    "800 KB of combining marks": Hostile(_typed(b"text/plain; charset=utf-8", b"hello" + MARKS * 200_000)),
    "160 KB of combining marks in the subject": Hostile(mail(AUTHOR, b"X: " + MARKS * 40_000)),
    "half a million empty lines": Hostile(mail(AUTHOR, body=b"\r\n" * 500_000 + b"hello"), text=""),
    "a million signs of padding": Hostile(
        mail(AUTHOR, b"Content-Transfer-Encoding: base64", body=b"aGVsbG8" + b"=" * 1_000_000)
    ),
    "a line of a million octets": Hostile(mail(AUTHOR, body=b"hello" + b" " * 1_000_000)),
    "200,000 tags nested": Hostile(_html(b"<div>" * 200_000 + b"hello"), text=""),
    "90,000 tags nested": Hostile(_html(b"<div>" * 90_000 + b"hello")),
    "80,000 attributes": Hostile(_html(b"<a " + b" ".join(b"x%d=1" % n for n in range(50_000)) + b">hello</a>")),
    "125,000 comments that never end": Hostile(_html(b"hello" + b"<!--" * 120_000)),
    "50,000 rows": Hostile(_html(b"hello<table>" + b"<tr><td>x</td></tr>" * 50_000), text="hello"),
    "5 MB of HTML in 199 parts": Hostile(multipart(b"mixed", PLAIN, *[HTML] * 198), text="plain"),
    "escape sequences without end": Hostile(
        _typed(b"text/plain; charset=iso-2022-jp", b"hello" + b"\x1b$B\x1b(I\x0e" * 100_000)
    ),
    "half a character of UTF-7": Hostile(_typed(b"text/plain; charset=utf-7", b"hello +2AA-"), text="hello +2AA-"),
    "half a character of UTF-7 beside other octets": Hostile(
        _typed(b"text/plain; charset=utf-7", b"hello +2AA- \xff"), text="hello +2AA- \ufffd"
    ),
    "noise": Hostile(bytes(range(256)) * 200, text=""),
    "nothing": Hostile(b"", text=""),
}

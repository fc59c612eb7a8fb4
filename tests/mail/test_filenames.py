"""Names to save by: nothing in them reaches beyond a folder, hides an ending, or is more than a name."""

import pytest

from responder.mail.filenames import filename_of


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("契約書 2026.pdf", "契約書 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("C:\\a\\b.txt", "b.txt"),
        ("a.txt:stream", "a.txt_stream"),
        ("photo\u202egpj.exe", "photo gpj.exe"),
        ("a\u200b.exe", "a .exe"),
        ("a\r\nSet-Cookie: b.pdf", "a Set-Cookie_ b.pdf"),
        ("invoice.pdf" + " " * 200 + ".exe", "invoice.pdf .exe"),
        (".bashrc", "bashrc"),
        ("name. . .", "name"),
        ("CON.txt", "_CON.txt"),
        ("lpt1", "_lpt1"),
        ("console.txt", "console.txt"),
        ('a"b;c$(d).pdf', "a_b_c_(d).pdf"),
        ("長" * 300 + ".pdf", "長" * 116 + ".pdf"),
        ("a" * 300, "a" * 120),
        ("", "attachment-1.bin"),
        ("..", "attachment-1.bin"),
        ("\u202e", "attachment-1.bin"),
        ("???", "attachment-1.bin"),
    ],
)
def test_a_name_is_made_harmless_and_keeps_its_true_ending(given: str, name: str) -> None:
    assert filename_of(given, "attachment-1.bin") == name

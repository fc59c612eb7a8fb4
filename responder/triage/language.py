"""The language of a mail: Japanese, English, or another (also where in doubt). By scripts and small words."""

import re
from enum import StrEnum

from responder.triage.questions import Questions


class Language(StrEnum):
    """What a person who wrote so can read."""

    JAPANESE = "Japanese"
    ENGLISH = "English"
    OTHER = "another language"


_SENTENCE = re.compile(r"[。.?!\n]+")
_HIRAGANA = re.compile(r"[ぁ-ゖ]")
_KANA = re.compile(r"[ぁ-ゖァ-ヺ]")
_KANJI = re.compile(r"[一-鿿]")
_WORD = re.compile(r"[a-zß-ɏạ-ỿ]+")
# Letters that neither Japanese nor a European language in Latin script is written with.
_ELSEWHERE = re.compile("[\u0370-\u1dff\u3100-\u312f\uac00-\ud7a3]")

# Characters and words that Chinese prose can hardly do without, simplified or traditional, and Japanese does not write.
_CHINESE = re.compile("[们們这這请吗嗎么麼您你说說还让讓没沒时签簽邮电约确认应关關哪呢吧]|可以|什|怎")

_ENGLISH = frozenset(
    word
    for line in (
        "the and but if because whether with without within from into about before after between this that these",
        "those there here any both each other same only two us our you your its his them their they who whose what",
        "which when where how why are been were has does did don can could may might should would must need already",
        "still just please",
    )
    for word in line.split()
)
"""Words that English is made of, and that other languages hardly have."""

_ALSO_ENGLISH = frozenset(
    word
    for line in (
        "of or not then than for to by in on at as an all one",
        "we i my me it he him her she is am be was have had do will",
    )
    for word in line.split()
)
"""Further ones, which mean something elsewhere too: they count beside the others and prove nothing alone."""

_PROSE_HIRAGANA, _PROSE_WORDS = 5, 4
"""Hiragana, or words in Latin script, under which a sentence may be no more than a name."""

_MOST_KANJI = 12
"""Kanji above which a text without kana is no Japanese: only headings and notes are written so."""

_LEAD_SHARE, _SHARE = 0.15, 0.2
"""Least part that small English words have in the first sentence, and in all: 0.27 and more in English mails."""


def language_of(questions: Questions) -> Language | None:
    """The language of what a mail asks; its subject counts where the text is too short. None: it says nothing.

    `Questions.whole` has neither quotation nor most of the signature; of what is left the first sentence that is
    prose decides, for a disclaimer or a partner's answer stands below it.
    """
    text = questions.whole.text
    if not text:
        return None
    return _of_text(text) or _of_text(questions.subject) or Language.OTHER


def _of_text(text: str) -> Language | None:
    """None where the text is too short to tell."""
    if len(_ELSEWHERE.findall(text)) * 4 > sum(character.isalpha() for character in text):
        return Language.OTHER
    for sentence in _SENTENCE.split(text):
        hiragana, words = len(_HIRAGANA.findall(sentence)), len(_WORD.findall(sentence))
        if len(_CHINESE.findall(sentence)) * 4 > hiragana:
            return Language.OTHER
        if hiragana >= _PROSE_HIRAGANA and hiragana > words:
            return Language.JAPANESE
        if words >= _PROSE_WORDS:
            return _latin(sentence, text)
    return _of_notes(text)


def _of_notes(text: str) -> Language | None:
    """The language of a text without a sentence that is prose."""
    if _KANA.search(text):
        return Language.JAPANESE
    kanji = len(_KANJI.findall(text))
    if not kanji:
        return None
    return Language.JAPANESE if kanji <= _MOST_KANJI else Language.OTHER


def _latin(sentence: str, text: str) -> Language:
    # Another language may stand above an English notice, or below an English greeting.
    words = set(_WORD.findall(text))
    english = len(words & _ENGLISH) > 1 and _is_english(sentence, _LEAD_SHARE) and _is_english(text, _SHARE)
    return Language.ENGLISH if english else Language.OTHER


def _is_english(text: str, share: float) -> bool:
    words = _WORD.findall(text)
    return sum(word in _ENGLISH or word in _ALSO_ENGLISH for word in words) >= share * len(words)

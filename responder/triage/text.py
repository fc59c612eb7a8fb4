"""Text made ready to compare."""

import re
import unicodedata
from itertools import pairwise

# NFKC leaves these apart although people type them for one another.
_ALIKE = str.maketrans({"〜": "~", "～": "~", "−": "-", "‐": "-", "–": "-", "—": "-", "―": "-", "ｰ": "ー", "’": "'"})

# A circled number begins an item; made plain it would run into the item's words.
_ALIKE |= {ord("①") + index: f"({index + 1})" for index in range(20)}

_RUN = re.compile(r"[ぁ-ゖァ-ヺー一-鿿々〇a-z0-9]+")
_WORD = re.compile(r"[ァ-ヺー]+|[一-鿿々〇]+|[a-z0-9]+|[ぁ-ゖ]+")

_HIRAGANA_OF = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}


# Marks that combine with the letter before them are sorted when they are normalised, in time that grows with the
# square of how many there are; no writing piles up more than a few (Unicode Standard Annex 15, stream-safe text).
_MARK = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f]"
_PILED = re.compile(f"({_MARK}{{4}}){_MARK}+")


def normalised(text: str) -> str:
    """NFKC, lower case, one form for tildes and dashes: half-width kana and full-width letters become ordinary."""
    text = _PILED.sub(r"\1", text)
    return unicodedata.normalize("NFKC", text.translate(_ALIKE)).lower().translate(_ALIKE)


def folded(text: str) -> str:
    """Katakana as hiragana: who writes in half-width kana writes all of a sentence in them."""
    return text.translate(_HIRAGANA_OF)


# People write one for the other: キヤノン and キャノン, and a company keeps to either.
_LARGE = str.maketrans("ぁぃぅぇぉっゃゅょゎゕゖ", "あいうえおつやゆよわかけ")

_LONG = re.compile(r"(?<=[ぁ-ゖ])[ー~-]+")
_BROKEN = re.compile(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])")


def searchable(text: str) -> str:
    """One form for everything that people type for one another when they look for a word.

    Beside what `normalised` does: katakana as hiragana, small kana as large ones, no long vowel marks (サーバ finds
    サーバー), no blanks or line ends inside Japanese, which mail programs break anywhere.
    """
    kana = folded(normalised(text)).translate(_LARGE)
    return _BROKEN.sub("", _LONG.sub("", kana))


def runs(text: str) -> list[str]:
    """The pieces of a normalised text that hold neither a blank nor a mark; no token goes beyond one."""
    return _RUN.findall(text)


def char_ngrams(text: str, least: int = 1, most: int = 3) -> list[str]:
    """All runs of `least` to `most` characters inside the words of a normalised text; nothing spans a space or mark.

    Without a dictionary these beat whole words on Japanese, and short ones beat long ones (docs/why.md). Both kana
    count as the same.
    """
    grams: list[str] = []
    for run in runs(folded(text)):
        for size in range(least, most + 1):
            grams += [run[start : start + size] for start in range(len(run) - size + 1)]
    return grams


def words(text: str) -> list[str]:
    """Runs of one script in a normalised text, and each pair of neighbours inside an unbroken run.

    A change of script is where a Japanese word mostly ends; the pairs keep the particles that turn its meaning.
    """
    found = []
    for run in runs(text):
        parts = _WORD.findall(run)
        found.extend(parts)
        found.extend(f"{first}{second}" for first, second in pairwise(parts))
    return found

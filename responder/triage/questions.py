"""What the person asks, unit by unit, ready to compare. Every scan is linear in the text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from responder.triage.cues import cues_of
from responder.triage.text import folded, normalised

MAX_CHARACTERS = 20_000
"""A mail longer than this is read no further: nobody asks a question that a FAQ answers at such length."""

MAX_UNITS = 10

MAX_CLAUSES = 40
"""The further clauses of a mail are not looked at one by one; most mails have fewer than ten."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that is asked. Both texts are normalised."""

    text: str
    """The question without greeting, signature and quotation."""
    context: str
    """The question as it came, with the subject: what the cleaning took by mistake still counts here."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What a mail asks, as a whole and piece by piece."""

    subject: str
    """Normalised."""
    whole: Question
    units: tuple[Question, ...]
    """Two or more where the mail seems to ask several things, else none."""
    clauses: tuple[str, ...] = ()
    """The same cut at every comma: a second question may hide in half a sentence."""
    cues: tuple[float, ...] = ()
    """See `cues`; as many in every mail."""
    everything: str = ""
    """The mail as it came, quotations and all; normalised."""
    reply: bool = False
    """Whether the subject says so."""
    requests: int = 0
    """Sentences that ask for something."""
    joins: int = 0
    """Words that join something further to what was said before."""


_QUOTED = re.compile(r"^\s*(?:[>|]|\(引用\))+\s?")
_REPLY_HEAD = re.compile(
    r"(?<!-)-{3,}\s*(?:original message|元のメッセージ|転送メッセージ|forwarded message|転送)"
    r"|^on .{1,200} wrote:\s*$|^\d{4}年\d{1,2}月\d{1,2}日.{0,100}:\s*$|begin forwarded message"
)
_HEAD_FIELD = re.compile(r"^\s*(?:from|to|cc|date|sent|subject|差出人|宛先|送信者|送信日時|日時|件名)\s*:")
_FORWARDED = re.compile(r"^\s*(?:fwd?|転送)\s*[::]")
_RULE = re.compile(r"^\s*(?:[-=_*#~+─━―ー☆★◇◆■□●○・.]\s?){3,}\s*$|^--\s*$")
_GREETING = re.compile(
    r"^\s*(?:.{0,30}(?:御中|各位|様|ご担当者様?|担当者様?)[、。,\s]*$"
    r"|(?:いつも|平素|日頃).{0,40}(?:お世話|厚く御礼|ありがとう|感謝|賜り).{0,30}$"
    r"|(?:大変)?お世話(?:になって|に なって|様).{0,20}$|.{0,30}と申します[。.]?\s*$"
    # Who writes: a name, and nothing said of anything.
    r"|[^はがをもに、。]{0,30}(?:でございます|です)[。.]?\s*$"
    r"|(?:突然の|初めて).{0,30}$|(?:何卒|どうぞ|以上|宜しく|よろしく|お手数|恐れ入り|ご多忙|お忙しい).{0,60}$"
    r"|(?:dear|hello|hi|good (?:morning|afternoon))\b.{0,60}$"
    r"|(?:best|kind|warm)? ?regards,?.{0,40}$|thank you\b.{0,60}$)"
)
_CONTACT = re.compile(
    r"\b(?:tel|fax|e-?mail|mail)\b[.\s]*[:/(+\d]|(?:電話|携帯|ファックス|〒|https?://)|\d{2,4}-\d{2,4}-\d{3,4}|(?<![\w.+-])[\w.+-]+@[\w-]+\."
    r"|iphoneから送信|androidから送信|sent from my"
)
_ASKS = re.compile(
    r"[?]|(?:か|かな|ですかね|でしょうか|ますか|のか|ください|下さい|願います|願いします|教えて|ご教示|ご確認)[。.、\s)」]*$"
)
_BULLET = re.compile(
    r"^\s*(?:[(（]?\d{1,2}[)）.、:](?!\d)|[(（]?[a-zア-オイ-ホ][)）.]\s|[・●○■□◆◇*-]\s*(?=\S)"
    r"|(?:q|質問|問|その)\s?\d{1,2}[.::、)\s]|[一二三四五][、.])"
)
_ITEM = re.compile(r"(?<=\S)(?=\(\d\)\s?[^\s)])")
_SENTENCE_END = re.compile(r"(?<=[。?!])|\n")
_KATAKANA = re.compile(r"[ァ-ヺ]")
_HIRAGANA = re.compile(r"[ぁ-ゖ]")
_SPELLED_OUT = 12
"""Katakana from which on a text without hiragana is a sentence, and no name or term."""
_REPLY = re.compile(r"^\s*(?:re|res|aw|返信)\s*:")
# Where something further begins, also in the middle of a sentence.
_JOIN = re.compile(
    r"(?<=[のるす]か、)|(?<=可能か、)|(?<=\s)(?=\(?[2-9]\))|(?:(?<=[、,。?!\s])|^)(?=(?:また[、,]|あと(?=[、,はで\s一-鿿ァ-ヺa-z])|それと|それから|あわせて|併せて|合わせて[、,]|ついでに"
    r"|もう(?:1|一|ひと|いっ)(?:つ|点|個|件|こ)|加えて|なお[、,]|さらに[、,]|次に|つぎに|最後に|さいごに|別件|(?:2|二)点目"
    r"|後[、,]|追伸|追記|ちなみに|ところで"
    r"|(?:and )?also\b|second(?:ly)?\b|additionally\b|another\b|finally\b|p\.?\s?s\.?\s))"
)
_REQUEST = re.compile(
    r"[?]|(?:か|かな|ですかね|でしょうか|ますか|のか|ください|下さい|ほしい|欲しい|くれ|否か|可否|要否|有無)[。.、!\s)」]*$"
    r"|(?:知り|うかがい|伺い|聞き|お聞きし|尋ね|もらい|いただき|頂き|願い)た[いく].{0,14}$"
    r"|(?:願い(?:し|いたし|致し)ます|願います|(?:伺|うかが)い(?:し|いたし|致し)?ます|お尋ね(?:し|いたし|致し|申し上げ)ます|教えて|おしえて|ご教示).{0,10}$|(?:ほしい|欲しい)(?:です|んです|のですが|と).{0,6}$"
)
_COURTESY = re.compile(
    r"^(?:以上|何卒|どうぞ|ご(?:回答|返信|返事|連絡|教示|確認|対応|検討|指導)|お(?:返事|手数|忙しい|知らせ|教え)"
    r"|よろしく|宜しく|教えて|恐れ入り|可能でしたら|ご多忙).{0,40}$"
)
# What may stand in front of a question and is no part of it.
_LEAD = re.compile(r"^(?:恐れ入り|お手数|ご多忙|お忙しい|初めて)[^、,]{0,30}[、,]\s*")
_QUESTION = re.compile(r"[?]|(?:か|かな|でしょうか|ますか|のか)[。.、\s)」]*$")
_CLAUSE_END = re.compile(r"(?<=[。?!、,])")
_LEAST_CLAUSE = 7
_FRAGMENT = 8
"""Characters under which a sentence cannot be a question of its own."""


def questions_of(subject: str, body: str) -> Questions:
    """What a mail asks; one that asks nothing yields what it says, and one that says nothing its subject."""
    subject, body = normalised(subject[:500]).strip(), normalised(body[:MAX_CHARACTERS])[:MAX_CHARACTERS]
    if len(_KATAKANA.findall(body)) >= _SPELLED_OUT and not _HIRAGANA.search(body):
        subject, body = folded(subject), folded(body)
    lines = _own_lines(_items_apart(body).splitlines(), forwarded=_FORWARDED.search(subject) is not None)
    kept = _without_frame(lines)
    text = " ".join(kept).strip() or subject or " ".join(lines).strip()
    sentences = _sentences(kept)
    units = _units(kept, sentences)[:MAX_UNITS]
    said = [sentence for sentence in sentences if not _is_courtesy(sentence)]
    return Questions(
        subject,
        Question(text, f"{subject}\n{' '.join(lines)}"),
        tuple(Question(unit, unit) for unit in units) if len(units) > 1 else (),
        clauses=tuple(_clauses(said)[:MAX_CLAUSES]),
        cues=cues_of(said),
        everything=body,
        reply=_REPLY.match(subject) is not None,
        requests=sum(_REQUEST.search(sentence) is not None for sentence in sentences),
        joins=sum(_JOIN.match(sentence) is not None for sentence in sentences),
    )


def _items_apart(body: str) -> str:
    """Each item of a list that is numbered within a line on a line of its own; ① has become (1) by now."""
    return _ITEM.sub("\n", body) if "(1)" in body and "(2)" in body else body


def _own_lines(lines: Sequence[str], *, forwarded: bool) -> list[str]:
    """The lines that the sender wrote, or handed on in place of words of their own."""
    own: list[str] = []
    handed_on: list[str] = []
    quoting = False
    for line in lines:
        if _REPLY_HEAD.search(line):
            quoting = True
        elif _QUOTED.match(line) or quoting:
            if not _HEAD_FIELD.match(line):
                handed_on.append(_QUOTED.sub("", line))
        else:
            own.append(line)
    asks = any(_ASKS.search(line) for line in own)
    if forwarded or not asks:
        return own + handed_on
    return own


def _without_frame(lines: Sequence[str]) -> list[str]:
    """Without salutation, courtesy, contact lines, and the signature under the last rule."""
    end = len(lines)
    for index in range(len(lines) - 1, max(len(lines) - 16, -1), -1):
        if _RULE.match(lines[index]) and not any(_ASKS.search(line) for line in lines[index:]):
            end = index
    kept = (line.strip() for line in lines[:end] if not _RULE.match(line))
    return [line for line in kept if line and not _is_greeting(line) and not _is_contact(line)]


def _is_greeting(line: str) -> bool:
    return _GREETING.match(line) is not None and (_QUESTION.search(line) is None or _is_courtesy(line))


def _is_courtesy(sentence: str) -> bool:
    """Whether it asks for an answer, and for nothing that the answer could say."""
    lead = _LEAD.match(sentence)
    said = sentence[lead.end() :] if lead else sentence
    return not said or _COURTESY.match(said) is not None


def _is_contact(line: str) -> bool:
    # A sentence that mentions an address is part of the question; a signature's line is no sentence.
    return len(line) < 80 and not line.endswith("。") and not _ASKS.search(line) and _CONTACT.search(line) is not None


def _units(lines: Sequence[str], sentences: Sequence[str]) -> list[str]:
    bulleted = _bulleted(lines)
    return bulleted if len(bulleted) > 1 else _asked(sentences)


def _bulleted(lines: Sequence[str]) -> list[str]:
    units: list[str] = []
    for line in lines:
        if _BULLET.match(line):
            units.append(_BULLET.sub("", line, count=1).strip())
        elif units and not units[-1].endswith(("。", "?")):
            units[-1] += line
    return [unit for unit in units if unit]


def _sentences(lines: Sequence[str]) -> list[str]:
    sentences = _SENTENCE_END.split("\n".join(lines))
    parts = (part.strip() for sentence in sentences for part in _JOIN.split(sentence))
    return [part for part in parts if part]


def _clauses(sentences: Sequence[str]) -> list[str]:
    """Cut at commas too. A piece too short to say anything stays with the next one, the last with the one before."""
    clauses: list[str] = []
    for sentence in sentences:
        begun = ""
        for piece in _CLAUSE_END.split(sentence):
            begun += piece
            if len(begun.strip()) >= _LEAST_CLAUSE:
                clauses.append(begun.strip())
                begun = ""
        if begun.strip() and clauses:
            clauses[-1] += begun.strip()
        elif begun.strip():
            clauses.append(begun.strip())
    return clauses


def _asked(sentences: Sequence[str]) -> list[str]:
    """Prose cut after each part that asks: what leads up to a question belongs to it."""
    units: list[str] = []
    leading: list[str] = []
    for sentence in sentences:
        if _REQUEST.search(sentence) and not _is_courtesy(sentence):
            units.append(" ".join([*leading, sentence]))
            leading = []
        elif units and not leading and (_is_courtesy(sentence) or len(sentence) < _FRAGMENT):
            units[-1] += f" {sentence}"
        else:
            leading.append(sentence)
    if units and leading:
        units[-1] += f" {' '.join(leading)}"
    return units

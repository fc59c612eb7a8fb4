"""Whether a reply says nothing but thanks. A wrong silence is far worse than a case too many: what is not known word
for word to be thanks is none.
"""

import re
from collections.abc import Sequence

from responder.mail.message import Message
from responder.triage.own_words import own_lines, says_no_more
from responder.triage.signature import is_frame, is_signature
from responder.triage.text import normalised

_MOST_CHARACTERS = 300
_MOST_SENTENCES = 5
_LONGEST = 20_000
"""Characters of a mail with all that it quotes."""
_MOST_SIGNATURE = 8

# --- what may be said, after NFKC and in lower case; sentences are read token by token, the longest first ---

_DONE = r"(?:でき|出来|完了し|完了いたし|完了致し)(?:まし|ており(?:まし)?)?た"
_SAID = r"(?:いたしました|致しました|しました|です)"
_TELLS = (
    # Thanks.
    r"(?:有難う|有り難う|有りがとう|ありがとう)(?:御座います|ございます|御座いました|ございました|です)?",
    r"(?:感謝)(?:を?申し上げます|いたします|致します|します|しております|いたしております|です)",
    r"(?:お礼|御礼)を?申し上げます",
    # Not 助かります: that is how one asks for something.
    r"(?:大変|とても|本当に)?(?:たすかりました|助かりました)",
    r"(?:大変|とても)?参考になりました",
    r"お手数を?(?:お掛け|おかけ|かけ)(?:いたしました|致しました|しました)",
    # It is understood.
    rf"(?:承知|了解|理解|納得){_SAID}",
    r"了解|かしこまりました|畏まりました|(?:よく|大変よく)?(?:分かりました|わかりました)|(?:よく|十分に)?理解できました",
    # It is solved.
    r"(?:無事に?|問題なく)?(?:問題は?|本件は?|本件も|この件は?|その件は?|件の問題は?|疑問が|疑問は|問題が)?、?(?:無事に?|問題なく)?"
    rf"(?:解決|解消)(?:いたしました|致しました|しました|済みです|{_DONE})",
    r"(?:無事に?|問題なく)(?:ログイン|登録|締結|署名|承認|手続き?|操作|設定|変更|受信|閲覧|ダウンロード|確認|同意)"
    rf"(?:が|も|を)?{_DONE}",
    # English.
    r"(?:many |big )?(?:thank you|thanks|thx)(?: very much| so much| a lot| again)*"
    r"(?: for (?:your|the)(?: (?:very|quick|prompt|kind|fast|helpful|clear|detailed))*"
    r" (?:help|reply|response|answer|support|assistance|explanation|information|e-?mail|message))?(?: again)?",
    r"(?:that|this|it) (?:has )?(?:really )?(?:helped|helps|worked|works|solved it"
    r"|solved (?:my|the) (?:problem|issue|question)|answers my question|answered my question"
    r"|was (?:very |really )?helpful)(?: me)?(?: a lot)?(?: now)?",
    r"(?:my|the) (?:problem|issue|question) (?:is|has been|was) (?:now )?(?:solved|resolved|answered)(?: now)?",
    r"(?:it is|it's|all is|everything is) (?:now )?(?:solved|resolved|clear)(?: now)?",
    r"solved|resolved|understood|got it|noted(?: with thanks)?|i understand(?: now)?|much appreciated|i appreciate it",
)
_COURTESIES = (
    r"(?:引き続き|今後とも|今後も|どうぞ|何卒|以上|それでは|では)*、?(?:どうぞ|何卒)?"
    r"(?:よろしく|宜しく)(?:お願い|御願い)(?:いたします|致します|申し上げます|します)",
    r"(?:いつも|大変|平素より|平素は)*お世話(?:になっております|になっています|になりました|様です)",
    r"取り?急ぎ、?(?:お礼|御礼|ご連絡|ご返信|お礼のご連絡)?(?:まで)?(?:申し上げます|まで)",
    r"まずは(?:お礼|御礼|ご連絡)まで(?:申し上げます)?|失礼(?:いたします|致します|します)|以上です",
    r"(?:best|kind|warm)? ?regards|best(?: wishes)?|(?:yours )?sincerely|cheers",
    r"have a (?:nice|good|great) (?:day|weekend)",
    r"(?:hi|hello|dear)(?: (?:all|team|support|support team|there|sir or madam))?",
)
_FILLERS = (
    r"どうも|本当に|誠に|大変|とても|早速の?|早々に|早々の|迅速な|迅速に|素早い|ご丁寧な|ご丁寧に|丁寧な|丁寧に|詳しい|詳しく"
    r"|分かりやすい|わかりやすい|分かりやすく|わかりやすく|お忙しい(?:中|ところ)、?|この度は|このたびは|今回は|重ねて|いろいろと?|色々と?"
    r"|おかげさまで|お陰様で|お陰さまで|おかげで",
    r"(?:ご|お|御)?(?:回答|返信|返事|連絡|対応|教示|案内|説明|返答|協力|助言|アドバイス|知らせ)"
    r"(?:いただき(?:まして)?|頂き(?:まして)?|くださり(?:まして)?|下さり(?:まして)?|をいただき(?:まして)?|を頂き(?:まして)?"
    r"|して(?:いただき|頂き|くださり|下さり)(?:まして)?|に|の件)?",
    r"教えて(?:いただき|頂き|くださり|下さり)(?:まして)?",
    # No はい, yes or ok: a yes answers something.
    r"great|perfect|excellent|and|now",
)


_SPEECH = tuple(
    (kind, re.compile(pattern))
    for kind, patterns in (("tells", _TELLS), ("courtesy", _COURTESIES), ("filler", _FILLERS))
    for pattern in patterns
)
_GAP = re.compile(r"[\s、,]*")
_SENTENCE_END = re.compile(r"[。.!\n]+")
_ORNAMENT = re.compile(r"[♪☆★〜~ー\s]+$|m\(_ _\)m|\(\^_?\^\)|:-?\)")

_RULE = re.compile(r"^\s*(?:--|[-=_*#~+─━―ー☆★◇◆■□●○・.]{3,})\s*$")
_ASKED = re.compile(r"\?|か(?:。|、|$)", re.MULTILINE)


def only_thanks(message: Message, ours: Message) -> bool:
    """Whether `message`, a reply to the mail `ours`, says thanks, or that it is solved, and nothing else at all."""
    if message.attachments or message.replaced or not says_no_more(message.subject, ours.subject):
        return False
    if len(message.text) > _LONGEST or _asks(ours):
        return False
    own = own_lines(message, ours)
    return own is not None and _thanks(own, message, ours)


def _asks(ours: Message) -> bool:
    """Whether a person of ours asked something: then 承知しました is a yes. A machine only quotes."""
    automatic = any(value.strip().lower() != "no" for value in ours.values("auto-submitted"))
    return not automatic and _ASKED.search(normalised(ours.text)) is not None


def _thanks(own: Sequence[str], message: Message, ours: Message) -> bool:
    """Whether these lines are thanks with greeting, names and signature."""
    body, signature = _parted([line.strip() for line in own if line.strip()])
    if len(signature) > _MOST_SIGNATURE or not is_signature(signature, message):
        return False
    said = [line for line in body if not is_frame(line, message, ours)]
    if sum(map(len, said)) > _MOST_CHARACTERS:
        return False
    sentences = [part for part in (_ORNAMENT.sub("", s).strip() for s in _SENTENCE_END.split("\n".join(said))) if part]
    kinds = [_kind_of(sentence) for sentence in sentences]
    return len(kinds) <= _MOST_SENTENCES and "tells" in kinds and "" not in kinds


def _parted(lines: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The text above the first rule, and the signature that is under it."""
    first = next((index for index, line in enumerate(lines) if _RULE.match(line)), len(lines))
    return lines[:first], [line for line in lines[first:] if not _RULE.match(line)]


def _kind_of(sentence: str) -> str:
    """ "tells" or "courtesy", as its last token is; "" where one token is not known.

    What is spoken of must be thanked for: before a courtesy it is a request (ご回答よろしくお願いします).
    """
    position, kind = 0, ""
    while position < len(sentence):
        ends = [(found.end(), kind_) for kind_, pattern in _SPEECH if (found := pattern.match(sentence, position))]
        end, found_kind = max(ends, default=(position, ""))
        if end == position or (kind == "filler" and found_kind == "courtesy"):
            return ""
        kind = found_kind
        gap = _GAP.match(sentence, end)
        position = gap.end() if gap else end
    return kind if kind != "filler" else ""

"""Whether a reply says nothing but thanks. A wrong silence is far worse than a case too many: what is not known word
for word to be thanks is none.
"""

import re
from collections.abc import Sequence

from responder.mail.message import Message
from responder.triage.text import normalised

_MOST_CHARACTERS = 300
_MOST_SENTENCES = 5
_LONGEST = 20_000
"""Characters of a mail with all that it quotes."""
_MOST_SIGNATURE = 8
_LONGEST_LINE = 60
_TOLD = 10
"""Characters from which on a line that stands in a mail of ours does so by no accident."""

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
    r"|おかげさまで|お陰様で|お陰さまで|おかげで|はい",
    r"(?:ご|お|御)?(?:回答|返信|返事|連絡|対応|教示|案内|説明|返答|協力|助言|アドバイス|知らせ)"
    r"(?:いただき(?:まして)?|頂き(?:まして)?|くださり(?:まして)?|下さり(?:まして)?|をいただき(?:まして)?|を頂き(?:まして)?"
    r"|して(?:いただき|頂き|くださり|下さり)(?:まして)?|に|の件)?",
    r"教えて(?:いただき|頂き|くださり|下さり)(?:まして)?",
    r"great|perfect|excellent|ok(?:ay)?|yes|and|now",
)


_SPEECH = tuple(
    (kind, re.compile(pattern))
    for kind, patterns in (("tells", _TELLS), ("courtesy", _COURTESIES), ("filler", _FILLERS))
    for pattern in patterns
)
_GAP = re.compile(r"[\s、,]*")
_SENTENCE_END = re.compile(r"[。.!\n]+")
_ORNAMENT = re.compile(r"[♪☆★〜~ー\s]+$|m\(_ _\)m|\(\^_?\^\)|:-?\)")

# --- how a mail is laid out ---

_QUOTED = re.compile(r"^\s*>")
# A head of two lines, as Gmail folds it.
_FOLDED_HEAD = re.compile(
    r"^([ \t]*(?:on |\d{4}[年/]).{1,150})\n[ \t]*(.{0,100}wrote:|<[^<>\n]{1,100}>:)[ \t]*$", re.MULTILINE
)
_HEAD = re.compile(
    r"^\s*-{3,}\s*(?:original message|元のメッセージ|original appointment)\s*-*\s*$|^\s*_{20,}\s*$"
    r"|^\s*on .{1,200}wrote:\s*$|^\s*\d{4}[年/-]\d{1,2}[月/-]\d{1,2}.{0,150}:\s*$"
    r"|^\s*(?:from|差出人)\s*:\s*.{0,200}$"
)
_HEAD_FIELD = re.compile(r"^\s*(?:from|to|cc|date|sent|subject|差出人|宛先|送信者|送信日時|日時|日付|件名)\s*:")
_RULE = re.compile(r"^\s*(?:--|[-=_*#~+─━―ー☆★◇◆■□●○・.]{3,})\s*$")
_SALUTATION = re.compile(r"^[^はがをもにで、。?]{1,30}(?:(?<![仕同模有多一])様|御中|さま|ご担当者様?|各位)\s*、?$")
_TITLE = re.compile(r"\s*(?:ご担当者様?|様|御中|さま|各位|です|と申します|でございます)$")
_COMPANY = re.compile(r"(?:株式会社|有限会社|合同会社|\(株\)|\(有\)|co\., ?ltd|\binc\b)")
_INTRODUCTION = re.compile(
    r"^[^はがをもにで、。?]{0,30}(?:株式会社|有限会社|合同会社|\(株\)|\(有\))[^はがをもにで、。?]{0,20}(?:です|でございます)$"
)
_CONTACT = re.compile(
    r"\b(?:tel|fax|e-?mail|mail|mobile)\b|(?:電話|携帯|〒|https?://)|\d{2,4}-\d{2,4}-\d{3,4}|[\w.+-]+@[\w-]+\."
    r"|^iphoneから送信$|^androidから送信$|^sent from my .{1,20}$|^outlook for (?:ios|android)を?(?:入手|取得)?"
)
# A line of a signature says nothing: no verb, no particle of a sentence, and none of the nouns that people put down
# alone in place of one. A department that has one in its name brings the mail before a person.
_SPOKEN = re.compile(
    r"[?。]|ます|ませ|です|でし|した|して|たい|ない|ので|から(?!送信)|けど|まだ|また|未|不|再|否|至急|追伸|質問|問い?合わ?せ|依頼|希望|連絡"
    r"|エラー|無効|失敗|不可|変更|添付|下記|以下|上記|契約|署名|締結|期限|承認|登録|削除|紛失|解約|解除|停止|中止|取り?消|相談|確認|対応|回答"
    r"|請求|支払|印紙|印鑑|証明|書類|住所|名義|氏名|金額|迷惑|なし|無し|有り|please|could|would|not\b|n't|still|but\b|question"
    r"|\b(?:call|send|reply|need|help|wait|when|how|why|what|which|can|is|are|do|does|me|my|i|no|missing|wrong|again)\b"
)


def only_thanks(message: Message, ours: Message) -> bool:
    """Whether `message`, a reply to the mail `ours`, says thanks, or that it is solved, and nothing else at all."""
    if message.attachments or message.replaced or not _says_no_more(message.subject, ours.subject):
        return False
    if len(message.text) > _LONGEST:
        return False
    lines = _FOLDED_HEAD.sub(r"\1 \2", normalised(message.text)).splitlines()
    own = _own_lines(lines, normalised(ours.text).splitlines())
    # A greeting names us, what follows it them: both as the mailers have it.
    names = tuple(_squeezed(normalised(mail.from_name)) for mail in (message, ours))
    return own is not None and _thanks(own, names)


def _says_no_more(subject: str, ours: str) -> bool:
    """Whether the subject is but our own: some people write all they have to say into it."""
    bare = re.sub(r"^(?:\s*(?:re|res|aw|返信)\s*:)+", "", normalised(subject))
    return _squeezed(bare) in _squeezed(normalised(ours))


def _squeezed(text: str) -> str:
    return re.sub(r"[\s>|]+", "", text)


def _own_lines(lines: Sequence[str], ours: Sequence[str]) -> list[str] | None:
    """What they wrote, without what they quote; None where somebody may have written into the quotation.

    Under a head without marks every line has to be of our own mail: answers between the lines look like quotation.
    """
    whole = {_squeezed(line) for line in ours}
    text = "".join(_squeezed(line) for line in ours)
    own: list[str] = []
    for index, line in enumerate(lines):
        if _QUOTED.match(line):
            continue
        if _HEAD.match(line):
            below = (
                _squeezed(rest) for rest in lines[index + 1 :] if not (_QUOTED.match(rest) or _HEAD_FIELD.match(rest))
            )
            return (
                own
                if all(rest in whole or (len(rest) >= _TOLD and rest in text) or not rest for rest in below)
                else None
            )
        own.append(line)
    return own


def _thanks(own: Sequence[str], names: Sequence[str]) -> bool:
    """Whether these lines are thanks with greeting, names and signature."""
    body, signature = _parted([line.strip() for line in own if line.strip()])
    signed = len(signature) <= _MOST_SIGNATURE and all(_is_signature(line) for line in signature)
    said = [line for line in body if not _is_frame(line, names)]
    if not signed or sum(map(len, said)) > _MOST_CHARACTERS:
        return False
    sentences = [part for part in (_ORNAMENT.sub("", s).strip() for s in _SENTENCE_END.split("\n".join(said))) if part]
    kinds = [_kind_of(sentence) for sentence in sentences]
    return len(kinds) <= _MOST_SENTENCES and "tells" in kinds and "" not in kinds


def _parted(lines: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The text above the first rule, and the signature that is under it."""
    first = next((index for index, line in enumerate(lines) if _RULE.match(line)), len(lines))
    return lines[:first], [line for line in lines[first:] if not _RULE.match(line)]


def _is_frame(line: str, names: Sequence[str]) -> bool:
    """Greeting by name, who writes, or a line of a signature without its rule."""
    if len(line) > _LONGEST_LINE:
        return False
    bare = line.rstrip("。.")
    named = _TITLE.sub("", bare).strip()
    theirs, ours = (len(_squeezed(named)) > 1 and _squeezed(named) in name for name in names)
    if ours:
        return True
    # They choose their name, and may put anything into it.
    if _SPOKEN.search(named):
        return False
    patterns = (
        theirs,
        _SALUTATION.match(bare),
        _INTRODUCTION.match(bare),
        _CONTACT.search(line),
        _COMPANY.search(line),
    )
    return any(patterns)


def _is_signature(line: str) -> bool:
    return len(line) <= _LONGEST_LINE and _SPOKEN.search(line) is None


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

"""Lines that say who writes to whom: greetings, names, companies, contacts. Each must be that from end to end."""

import re
from collections.abc import Sequence

from responder.mail.message import Message
from responder.triage.text import normalised

_LONGEST_LINE = 60
_LONGEST_NAME = 40

# What no name may hold: they choose how their mailer names them, and may put anything into it.
_SPOKEN = re.compile(
    r"[?。]|ます|ませ|です|でし|した|して|たい|ない|ので|から|けど|まだ|また|ください|いつ|どこ|未|不|再|否|済|届|至急|追伸|質問|問い?合わ?せ"
    r"|依頼|希望|連絡|エラー|無効|失敗|変更|添付|下記|以下|上記|契約|署名|締結|期限|承認|登録|削除|紛失|解約|解除|停止|中止|取り?消|相談"
    r"|確認|対応|回答|請求|支払|印紙|印鑑|証明|書類|住所|名義|氏名|金額|迷惑|なし|無し|有り|予定|移転|設立|合併|社名|廃業|倒産|破産|休業|退職|退会"
    r"|忘れ|締切|n't|\b(?:call|send|reply|need|help|wait|when|how|why|what|which|where|can|could|would|should|please|is|are|was|do|does|me|my|i"
    r"|we|our|you|your|no|not|yes|missing|wrong|again|still|but|question|one|more|thing|came|blank|name|company|new|old|now|changed|moved"
    r"|became|to|by|from|at|with|in|on|for|the|use|via|left|joined|see|ask|contact|invoice|bill|pay|cancel|terminate|remove|add|try|delete"
    r"|update|former|under|open|sign|stop|charge|address|crash(?:es|ed)?)\b"
)

_KIND = r"(?:株式会社|有限会社|合同会社|合資会社|合名会社|\(株\)|\(有\)|\(同\))"
# Kana that are particles do not begin the name of a company, and kana alone are too near to speech.
_FIRM = r"(?:[ぁ-ん](?<![はがをもにでのとへかねよ])){0,8}[一-鿿々ァ-ヺー・a-z0-9&]{1,16}"
_COMPANY = (
    rf"(?:{_KIND} ?{_FIRM}|{_FIRM} ?{_KIND}"
    rf"|(?:[a-z][\w&'-]* ){{1,3}}(?:co\., ?ltd\.?|inc\.?|ltd\.?|llc|corp\.?|k\.k\.|gmbh))"
)
_FIELD = (
    r"(?:営業|総務|経理|人事|労務|法務|財務|企画|経営|開発|技術|購買|調達|業務|管理|製造|生産|品質|保証|情報|システム|広報|事務|工事|建設"
    r"|建築|土木|設計|資材|物流|販売|海外|国内|事業|第[一二三1-9]|東京|大阪|名古屋|福岡|札幌|仙台|本社)"
)
_DEPARTMENT = rf"{_FIELD}+(?:統括)?(?:本部|部|課|室|係|グループ|チーム|支店|支社|営業所|事務所)"
_POST = (
    r"(?:代表取締役|代表|取締役|執行役員|専務|常務|社長|副社長|会長|本部長|部長|次長|課長|係長|主任|主査|店長|所長|支店長|室長|担当"
    r"|マネージャー|リーダー)"
)
_ENGLISH_POST = (
    r"(?:(?:sales|legal|accounting|general affairs|human resources|purchasing|finance|procurement|engineering"
    r"|marketing) )?(?:department|dept\.?|division|section|team|manager|director|president|assistant|officer)"
)
_PLACED = re.compile(rf"(?:{_DEPARTMENT}{_POST}?|{_POST}{{1,2}}|{_ENGLISH_POST})")
_DEPARTMENT_OF = re.compile(rf"({_DEPARTMENT})の")
_COMPANY_FIRST = re.compile(rf"({_COMPANY})(?=$|\s|の|です|でございます)[\s、,]*の?\s*")
_THEIR_TITLE = re.compile(r"\s*(?:です|と申します|でございます)$")
_OUR_TITLE = re.compile(r"\s*(?:ご?担当者?様|様|御中|さま|各位)\s*、?$")
_ANYBODY = re.compile(r"(?:サポート|ヘルプ|お?問い?合わ?せ)?(?:窓口|デスク|センター|事務局)?(?:ご?担当者?)?")
_SURNAME = re.compile(r"[一-鿿々]{1,4}")
_NO_TITLE = re.compile(r"[仕同模有多一]様")

_LABEL = (
    r"[\[(【]?(?:tel|fax|phone|mobile|cell|電話番号|電話|携帯電話|携帯|直通|代表|e-?mail|mail|メールアドレス|メール|url|web|website|hp|[tfme])"
    r"[\])】]?"
)
_NUMBER = r"(?:\+\d|\(?0)[\d() -]{7,16}\d(?: ?\((?:代|代表|直通)\))?"
_ADDRESS = r"[a-z0-9_.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+"
# Of a site, not of a page of it: that may be the one that does not open.
_SITE = r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+/?"
_REACHED = rf"(?:{_LABEL}[\s:.]*)?<?(?:{_NUMBER}|{_ADDRESS}|{_SITE})>?"
_CONTACT = re.compile(rf"{_REACHED}(?:[\s/|,・]+{_REACHED}){{0,2}}")
_PLACE = r"(?:東京都|北海道|(?:京都|大阪)府|[一-鿿]{2,3}県)[一-鿿々ァ-ヺー0-9a-z -]{2,40}"
_POSTAL = re.compile(rf"(?:〒? ?\d{{3}}-\d{{4}}(?: ?{_PLACE})?|{_PLACE})")
_DEVICE = re.compile(
    r"(?:iphone|ipad|android)から送信|sent from my (?:iphone|ipad|android(?: device)?|mobile)"
    r"|outlook for (?:ios|android)を(?:入手|取得)(?: ?<https://aka\.ms/\w+>)?|get outlook for (?:ios|android)(?: ?<https://aka\.ms/\w+>)?"
)
_BULLET = re.compile(r"^[■◆●◇○・*|]\s*")


def is_frame(line: str, message: Message, ours: Message) -> bool:
    """Whether a line of the text, normalised and stripped, only greets us by name or says who writes.

    Of contacts only their own address: where no rule is, a number or a site may be what they have to tell.
    """
    bare = line.rstrip("。.、,")
    return len(line) <= _LONGEST_LINE and (
        _greets(bare, ours)
        or _names_them(_THEIR_TITLE.sub("", bare), message)
        or bare == normalised(message.from_address)
        or _DEVICE.fullmatch(bare) is not None
    )


def is_signature(lines: Sequence[str], message: Message) -> bool:
    """Whether these lines, normalised and stripped, are what stands under a rule, and name who writes."""
    bare = [_BULLET.sub("", line) for line in lines if not _DEVICE.fullmatch(line)]
    if any(len(line) > _LONGEST_LINE for line in bare):
        return False
    named = [_names_them(line, message) for line in bare]
    others = (line for line, is_name in zip(bare, named, strict=True) if not is_name)
    return (any(named) or not bare) and all(_is_contact(line) for line in others)


def _is_contact(line: str) -> bool:
    if _CONTACT.fullmatch(line):
        return True
    return _POSTAL.fullmatch(line) is not None and _SPOKEN.search(line) is None


def _names_them(line: str, message: Message) -> bool:
    """A company, department, post, and the name that their mailer gives, in this order; each may be missing."""
    if not line or _SPOKEN.search(line):
        return False
    company = _COMPANY_FIRST.match(line)
    rest = line[company.end() :] if company else line
    return all(_PLACED.fullmatch(word) or is_of(word, message) for word in _words(rest)) and _whole(rest, message)


def _words(text: str) -> list[str]:
    if _PLACED.fullmatch(text):
        return [text]
    return [word for word in re.split(r"[\s,/]+", _DEPARTMENT_OF.sub(r"\1 ", text)) if word]


def _whole(rest: str, message: Message) -> bool:
    """One letter of a name is none."""
    return not rest or len(squeezed(rest)) > 1 or is_of(rest, message, least=1)


def is_of(text: str, message: Message, least: int = 2) -> bool:
    """Whether a text, normalised, is a name of the author of this mail, or a part of it."""
    name = normalised(message.from_name[:_LONGEST_NAME])
    bare = squeezed(text)
    return bool(name) and (len(bare) >= least) and bare in squeezed(name)


def _greets(line: str, ours: Message) -> bool:
    """Us by our name, whoever is in charge, or the person who signed our mail."""
    if squeezed(line) == squeezed(normalised(ours.from_name)) != "":
        return True
    title = _OUR_TITLE.search(line)
    if title is None or _NO_TITLE.search(line):
        return False
    *before, last = line[: title.start()].split() or [""]
    if not all(_ANYBODY.fullmatch(word) or is_of(word, ours) for word in before):
        return False
    signed = _SURNAME.fullmatch(last) and _SPOKEN.search(last) is None and last in normalised(ours.text)
    return bool(_ANYBODY.fullmatch(last) or is_of(last, ours) or signed)


def squeezed(text: str) -> str:
    """Without blanks and marks of quotation."""
    return re.sub(r"[\s>|]+", "", text)

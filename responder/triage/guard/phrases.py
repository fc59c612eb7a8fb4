"""What programs write into subjects and texts, one pattern a line.

Each was met in reports and automatic replies of mail systems, or is what such a system calls them in its language. What
people who ask about contracts write themselves is left out, such as the bare words for absent, automatic,
retired or delivery. Of the 5,130
labelled mails that an entry answers they hold for none, of 4,512 that people must answer for 28. All of these were
looked at while the list was made.
"""


def _phrases(lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines.splitlines() if line and not line.startswith("#"))


SUBJECTS = _phrases(r"""
# Reports on a delivery.
undeliver(?:ed|able)
returned (?:to sender|mail|e-?mail|message)
return(?:ing|ed)?:? message to sender
(?:failure|delivery) (?:notice|notification|failure|failed|report|status|error|problem|warning|delayed)
(?:failed|failure|delayed|non-?) ?delivery
delivery (?:has|was|could|will)\b
(?:mail|message|e-?mail)(?: \S{1,40})? (?:delivery )?(?:system error|failed|delayed|failure|undeliver)
(?:mail|message)(?: \S{1,60}){0,3} (?:could not be|cannot be|not|has not been|has not yet been) delivered
delivery (?:incomplete|attempt)
non remis
unzustellbar
nicht zugestellt
non recapitabile
no se (?:pudo|puede) entregar
não entregue
processing error
user unknown
mailbox (?:is )?full
warning:\s
awaits moderator approval
confirm(?:ation)? (?:of )?(?:your )?subscription
配[信送達]不能
(?:配信|配送|送信|メール)(?:の)?(?:エラー|失敗)
エラーメール
(?:送信|配信|配送|配達|お届け)(?:が)?でき(?:ません|ない|なかった)
未配[信達]
宛先不明
不達(?:通知|メール|の?お知らせ)
届けられません
返送されました
戻りました
system error
loop alert
blocked by (?:our|the|a)\b
退信
系统退信
배달
# Automatic replies.
auto(?:matic(?:ally)?|mated)?[-_ ]?re(?:ply|plied|sponse|sponder)
auto(?:matic(?:ally)?|mated)?[-_ ]?(?:answer|acknowledg\w+|confirmation|message|notif\w+|generated)
(?:^|[\[(<: ])auto(?::|\]|\))
out[- ]of[- ](?:the[- ])?office
(?:on|annual|maternity|sick) (?:vacation|holiday|leave)\b
\bvacation\b
away from (?:my|the) (?:mail|desk|office|email)
\bi(?: a|')m away\b
\booo\b
absen(?:ce|t) (?:du|de|notification|notice|message)
^(?:re: ?)?absen(?:ce|t|z)
abwesen
automatische antwort
autosvar
automatisk
automaattinen
réponse automatique
respuesta autom
resposta autom
risposta automatica
automatisch antwoord
afwezig
fuera de (?:la )?oficina
fora do escritório
автоответ
автоматическ
automatyczn
(?:risposta|respuesta|resposta|odpověď) automat
(?:de vacaciones|en congés?|in ferie|de férias|på semester|na urlopie|im urlaub)
otomatik yan
odpowiedź automatyczna
automatická odpověď
自动回复
自動回覆
부재중
자동\s?(?:회신|응답|답장)
自動(?:返信|応答|回答|配信|送信|通知|受付|確認)
オートリプライ
不在(?:の?(?:お知らせ|通知|連絡|案内|返信)|です|につき|にして)
^\W*不在\W*$
(?:休業|休暇|休診|休館|休み|不在|閉庁)(?:期間|日)?(?:中)?(?:の|に関する|についての)?(?:お知らせ|ご案内|ご連絡|通知)
# Receipts.
(?:read|delivery|return) (?:receipt|notification)
^(?:read|not read|deleted|delivered|relayed|expanded)\s?:
message recall
(?:gelesen|lu|leído|letto|lido)\s?:
lesebestätigung
recall:
受信確認
開封(?:済み?|通知|確認(?:通知|メッセージ)?)\s?[::]
開封(?:通知|確認)(?:メッセージ|メール)?$
既読
未開封のまま
challenge
please confirm your (?:message|email)
\[?(?:request|ticket|case) (?:received|created|opened|updated)
thank you for your e-?mail
(?:受付|受領|受信|送信|登録|申込|注文)(?:完了|確認)(?:の?(?:お知らせ|通知|ご連絡|メール))
(?:お)?問い?合わ?せ(?:を)?(?:受付|受け付け|ありがとう|いただき)
""")
"""Looked for in subjects, in one width and with single blanks."""

TEXTS = _phrases(r"""
# Reports, as the systems word them.
this is the (?:mail system|postfix|machine generated|e-?mail system|\S{1,40} program)
qmail-send
mail delivery (?:sub)?system
mailer-daemon
mail system at host
(?:message|mail|letter)s?(?: \S{1,80}){0,8} (?:was|were|is|be|been) (?:undeliver|not delivered|returned|bounced)
(?:message|mail|letter)s?(?: \S{1,80}){0,8} (?:was|were|is|be|been) (?:rejected|delayed)
(?:could|can|was|were|has|have|did)(?:n't| ?not|'t)(?: yet)? (?:be|been|get) (?:delivered|sent to|reached)
(?:not|n't) (?:yet )?(?:be(?:en)? )?(?:delivered|deliver|reach(?:ed)? (?:some|all|the following|one))
undeliver(?:ed|able)
unable to (?:deliver|relay|route|send)
deliver(?:y|ing)(?: \S{1,80}){0,6} (?:fail|delay|unsuccess|impossible)
(?:fail(?:ed|ure)|error|problem|unsuccessful)(?: \S{1,40}){0,4} deliver
delivery (?:attempt|status|report|notification|to the following)
returned (?:to (?:sender|you)|mail|message|below)
permanent(?:ly)? (?:fatal )?(?:error|fail)
(?:user|recipient|mailbox|host|domain|account)(?: \S{1,80})? (?:is |was )?(?:unknown|not (?:found|known|listed))
(?:user|recipient|mailbox|address|account)(?: \S{1,80})? (?:is |was )?(?:unavailable|disabled|suspended|inactive|full)
(?:user|recipient|mailbox|address|account)(?: \S{1,80})? (?:is |was )?(?:unknown|over quota|rejected|no longer|invalid)
(?:user|recipient|mailbox|address|host|domain|account)(?: \S{1,80})? (?:does|do)(?: not|n't) exist
(?:unknown|no such|invalid|bad|unrouteable|inactive) (?:local )?(?:user|recipient|mailbox|address|host|domain|account)
(?:over|exceed\w*)(?: \S{1,30}){0,3} quota
quota exceeded
mailbox full
smtp error
no mailbox here
(?:had|have) (?:\S{1,30} ){0,2}delivery (?:problems|errors)
(?:doesn't|does not) have an? (?:\S{1,60} )?account
not recogni[sz]ed
rejected by (?:a|the) remote
relay(?:ing)? (?:access )?denied
\b[45]\d\d[- ]?#?[45]\.\d{1,2}\.\d{1,2}\b
(?:said|code|error|status|smtp|reply|response|reason)\W{1,4}[45]\d\d\b
<[^<>@\s]{1,64}@[^<>\s]{1,255}>(?:\.\.\.|:)\s{0,3}(?:\S{1,30}\s){0,6}(?:unknown|user|host|reject|deliver|[45]\d\d)
transcript of session
original message (?:follows|headers|was received)
copy of (?:the |your )?(?:original )?(?:message|mail|headers)
non recapitabile
unzustellbar
(?:konnte|kann) nicht (?:zugestellt|übermittelt|ausgeliefert)
n'a pas pu être (?:remis|délivr|distribu)
no (?:se )?(?:ha )?(?:podido|pudo|puede) (?:ser )?(?:entrega|enviar)
não (?:foi|pôde|pode) (?:ser )?(?:entreg|enviad)
(?:送信|配信|配送|配達|お届け|転送)(?:すること)?(?:が|は)?(?:でき(?:ません|なか|ない)|不能|失敗|エラー)
(?:お)?届け(?:られ|でき|することができ)(?:ません|なか)
宛先(?:の)?(?:メールアドレス|アドレス|ユーザ)?(?:が|は)?(?:不明|見つかりません|存在し|間違)
(?:メールアドレス|ユーザー?|ホスト|ドメイン|宛先)(?:が|は)(?:存在しません|見つかりません|不明)
メール(?:は|が)?(?:相手先|送信先|宛先)?(?:に|へ)?(?:届|配信さ|送信さ|配送さ)れませんでした
次の(?:あて先|宛先|受信者|受取人|アドレス)
以下の(?:あて先|宛先|受信者|受取人)(?:に|へ)
メールボックス(?:の容量)?(?:が|は)?(?:いっぱい|一杯|超)
(?:配信|送信|転送)(?:が)?(?:され|でき)ませんでした
(?:メール|メッセージ)(?:は|が)ブロックされ
ディレクトリの(?:リスト|一覧)に
non-?delivered (?:information|mail)
duplicated message-id
被退回|无法发送到
エラーメール
メール(?:サーバ|システム)(?:ー)?(?:です|より|からの)
無法傳遞|无法(?:送达|投递)|退信
# Automatic replies.
this is an? auto(?:mated|matic|matically|-?generated|-?reply|-?response)
auto(?:matic(?:ally)?|mated)[- ](?:re(?:ply|sponse)|generated|answer|message|notification|e-?mail)
auto-?(?:reply|response|responder|generated)\b
generated automatically
do not reply to this
please do not (?:reply|respond)
no-?reply
out of (?:the |my )?(?:office|town)
(?:am|are|be|is|currently) (?:currently )?(?:away|on (?:vacation|holiday|leave|annual|maternity))
will be (?:back|away|out|unavailable|returning)
limited access to (?:my )?e-?mail
(?:no longer|not) (?:work(?:s|ing)?|employed|with) (?:at|for|with|the|our)
in my absence
during my absence
(?:on|upon|until|after) my return\b
i(?: a|')m (?:gone|not in)\b
i(?: wi|')ll be (?:back|out|away|returning)\b
away (?:until|through|from \d)
we are closed|will reopen on
(?:have|has) left the (?:company|organi[sz]ation|firm)
(?:will|shall|try to|endeavou?r to) (?:reply|respond|answer|get back)(?: \S{1,15}){0,3} as soon as
has been received and (?:is being|will be) reviewed
(?:type|write) your reply above
(?:your|this) e-?mail could not be processed
awaiting approval|only from senders
ticket has been (?:created|received|opened)
when i (?:return|get back)
nicht im (?:büro|haus)
abwesen
automatische (?:antwort|nachricht|benachrichtigung)
absent(?:e)? du bureau
réponse automatique
fuera de la oficina
im urlaub\b
(?:wieder|nicht) (?:im (?:büro|hause?|dienst)|erreichbar)
je (?:suis|serai) (?:actuellement )?(?:absent|en (?:congé|vacances|déplacement)|de retour)
(?:estoy|estaré) (?:fuera|de vacaciones|ausente)|a mi regreso
(?:estou|estarei) (?:fora|de férias|ausente)
(?:sono|sarò) (?:fuori (?:sede|ufficio)|in ferie|assente)
(?:ik ben|ben ik) (?:\S{1,20} )?(?:afwezig|terug|met (?:vakantie|verlof))|momenteel afwezig
på semester|na urlopie|na dovolené|izinliyim|nghỉ phép|sedang cuti|в отпуске|בחופשה
휴가 ?중|부재 ?중|正在休假|不在(?:办公室|辦公室)
(?:we|i) (?:have )?received your (?:e-?mail|message|inquiry|request|mail)
thank you for (?:contacting|your (?:e-?mail|message|inquiry|mail))
自動(?:返信|応答|回答)(?:メール|です|にて|し|と|で|機能|プログラム|システム|による)
自動(?:送信|配信|通知|的)(?:に|で)?(?:さ|し|お送|送信|返信|配信|メールです)
自動で(?:お送り|送信|返信|配信)
(?:送信|返信)専用
このメール(?:に|へ|は)(?:の)?(?:ご?返信|返答)(?:いただ|され|し)?(?:いて)?(?:も|でき|は|くださ|しない)
(?:休暇|出張|外出|休業|夏休み|産休|育休|研修)(?:中|のため|をいただ|により|とさせて|につき).{0,40}(?:不在に|返信|ご了承|お急ぎ|後日|折り返)
不在(?:に|と)(?:して|なって|いたし)(?:おり|い)ます
不在のため、?(?:返信|ご返信|対応|お急ぎ|後日|折り返し|戻り)
(?:休業|休暇|お休み)(?:と|を)(?:させて)?(?:いただ|頂)(?:き|いて)
(?:休暇|休業|産休|育休|夏休み|不在)中(?:です|のため|につき|となり)
(?:産前産後|育児)(?:休業|休暇)(?:中|期間|を取得)
オフィスを不在
(?:休業|休み)のため、?.{0,30}(?:順次|以降)
営業時間外|(?:翌|再開後の?)営業日以降
(?:以降に?|より)順次(?:対応|ご?返信|ご?回答|ご?連絡)
出張のため、?.{0,20}(?:確認|返信|対応)が遅れ
(?:お)?問い?合わ?せ(?:を|は)(?:受け付け|受付|受領|承り)(?:ました|いたしました)
(?:^|、|。)(?:メール|ご連絡|お問い?合わ?せ)を(?:受信|受領|拝受|お受け)(?:いた)?しました
(?:フォーム|メッセージ|アンケート|お申し?込み|ご?応募|エントリー|ご連絡)(?:を|は)受け?付け(?:いた)?(?:しました|ました)
(?:担当者?|追って)(?:より|から)、?(?:改めて|追って|折り返し)?(?:の)?ご?(?:連絡|返信|回答)(?:を|差し上げ|いたしま|致しま|させていただ)
(?:今)?しばらくお待ちください
(?:配信|通知|発信|自動)専用|通知のみを目的
(?:このたび|この度|私儀|私こと|私は|一身上).{0,40}(?:退職|異動)(?:いた|致)?しま
(?:アドレス|メール)(?:は|を)(?:現在|今後)(?:は)?(?:使用|利用)して(?:おりません|いません)
メールアドレスが?(?:変わりました|変更になりました|変更となりました|廃止|無効)
付(?:け)?で.{0,20}異動(?:と|に)なり
receipt (?:for|of) (?:the|your) (?:mail|message)
your message (?:was|has been) (?:read|received|displayed|deleted|opened)
was (?:read|displayed) on
開封(?:された|済み|しました|確認)(?:通知|メッセージ|こと)
表示されたことを
unsubscribe
配信(?:停止|解除)(?:は|を|の|をご希望)
購読(?:解除|停止)
メールマガジン
メルマガ
challenge[- /]?response
confirm that you (?:are|sent)
to (?:complete|confirm) (?:the |your )?(?:delivery|subscription|registration)
""")
"""Looked for in texts, likewise."""

TEXTS_BEGIN_WITH = (
    "45<a-zвב、。おこごしよアエオデドフホメユ一不今付以休再出問営夏外宛届応担无次正無"
    "産発研私翌育自表被購転返追退送通配開부휴"
)
"""Every character that one of these can begin with, for a class: most of a Japanese text is none, and passed over."""

LINES = _phrases(r"""
^\W{0,3}(?:reporting-mta|final-recipient|original-recipient|diagnostic-code|action|x-failed-recipients): ?\S
^\W{0,3}received: (?:from|by|\(qmail)
^\W{0,3}return-path: ?<
^\W{0,3}message-id: ?<
^\W{0,3}x-mailer:\s
^[^>\n]{0,30}(?:見積り?|応募|お申し?込み|お問い?合わ?せ)(?:いただき)?、?(?:誠に)?ありがとうござい
""")
"""Looked for likewise, at the beginning of lines."""

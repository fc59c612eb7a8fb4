"""What is said to single commands."""

import asyncio

import pytest
from sqlalchemy.engine import Engine

from tests.listening import MAIL, TANAKA, US, Client, kept, listening, mails

pytestmark = pytest.mark.anyio


async def _after(sqlite: Engine, *commands: str | bytes) -> str:
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        reply = ""
        for command in commands:
            reply = await client.say(command)
        return reply


HELLO, FROM = "EHLO contractor.example", f"MAIL FROM:<{TANAKA}>"


async def test_the_banner_names_no_product_and_ehlo_what_we_do(sqlite: Engine) -> None:
    async with listening(sqlite) as (_, (address,)):
        client = await Client.connected(address)
        assert await client.reply() == "220 mx.example.jp ESMTP"
        offered = (await client.say(HELLO)).split("\n")
    assert [line[4:] for line in offered] == [
        "mx.example.jp",
        "PIPELINING",
        "SIZE 100000",
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
    ]


@pytest.mark.parametrize(
    ("commands", "reply"),
    [
        pytest.param([HELLO, "HELP"], "214 2.0.0", id="HELP is one line"),
        pytest.param([HELLO, "HELP MAIL"], "214 2.0.0", id="HELP with a word as well"),
        pytest.param([HELLO, f"VRFY {US}"], "252 2.0.0", id="VRFY tells nothing: an address of ours"),
        pytest.param([HELLO, "VRFY nobody"], "252 2.0.0", id="VRFY tells nothing: another one"),
        pytest.param([HELLO, "EXPN staff"], "502 5.5.1", id="EXPN is not there"),
        pytest.param([HELLO, "AUTH PLAIN AGEAYg=="], "502 5.5.1", id="there is no login"),
        pytest.param([HELLO, "STARTTLS"], "454", id="nor encryption without a certificate"),
        pytest.param([HELLO, "NOOP anything"], "250 2.0.0", id="NOOP"),
        pytest.param([HELLO, FROM, "RSET"], "250 2.0.0", id="RSET"),
        pytest.param([HELLO, FROM, "RSET", FROM], "250 2.1.0", id="after RSET a mail may begin"),
        pytest.param([HELLO, FROM, HELLO, FROM], "250 2.1.0", id="after EHLO too"),
        pytest.param([HELLO, "QUIT"], "221 2.0.0", id="QUIT"),
        pytest.param(["EHLO"], "501 5.5.4", id="EHLO without a name"),
        pytest.param(["HELO contractor.example"], "250 mx.example.jp", id="HELO, without a status (RFC 2034 4)"),
        pytest.param([FROM], "503 5.5.1", id="MAIL before EHLO"),
        pytest.param([HELLO, FROM, FROM], "503 5.5.1", id="MAIL twice"),
        pytest.param([HELLO, f"RCPT TO:<{US}>"], "503 5.5.1", id="RCPT before MAIL"),
        pytest.param([HELLO, FROM, "DATA"], "503 5.5.1", id="DATA before RCPT"),
        pytest.param([HELLO, FROM, f"RCPT TO:<{US}>", "DATA now"], "501 5.5.4", id="DATA with a word"),
        pytest.param([HELLO, f"{FROM} SIZE=100001"], "552 5.3.4", id="a size over the limit"),
        pytest.param([HELLO, f"{FROM} SIZE=100000 BODY=8BITMIME"], "250 2.1.0", id="a size within it, and 8 bits"),
        pytest.param([HELLO, f"{FROM} BODY=BINARYMIME"], "501 5.5.4", id="BINARYMIME"),
        pytest.param([HELLO, f"{FROM} SMTPUTF8"], "501 5.5.4", id="SMTPUTF8 is not offered (RFC 6531 3.1)"),
        pytest.param([HELLO, f"{FROM} RET=HDRS"], "555 5.5.4", id="nor is DSN"),
        pytest.param([HELLO, "MAIL"], "501 5.5.4", id="MAIL alone"),
        pytest.param([HELLO, "MAIL FROM:"], "501 5.5.4", id="MAIL without a path"),
        pytest.param([HELLO, "XYZZY"], "500 5.5.2", id="what is no command"),
        pytest.param([HELLO, ""], "500 5.5.2", id="an empty line"),
        pytest.param([HELLO, b"N\xc3\x96OP"], "500 5.5.2", id="a command beyond ASCII"),
        pytest.param([HELLO, "NOOP " + "x" * 3000], "500 5.5.2", id="a command beyond 2048 octets"),
        pytest.param([HELLO, "NOOP " + "x" * 2000], "250 2.0.0", id="a long one"),
        pytest.param([b"EHLO \xff\0"], "250", id="a name of any octets"),
    ],
)
async def test_a_command_gets_its_reply(sqlite: Engine, commands: list[str | bytes], reply: str) -> None:
    assert (await _after(sqlite, *commands)).startswith(reply)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param(f"RCPT TO:<{US}>", "250 2.1.5", id="ours"),
        pytest.param("RCPT TO:<SUPPORT@Example.JP>", "250 2.1.5", id="ours in another case"),
        pytest.param("RCPT TO:<nobody@example.jp>", "550 5.1.1", id="nobody's"),
        pytest.param("RCPT TO:<support@example.com>", "550 5.1.1", id="another domain's"),
        pytest.param("RCPT TO:<postmaster@example.jp>", "550 5.1.1", id="the domain's postmaster is its MTA's affair"),
        pytest.param("RCPT TO:<>", "550 5.1.1", id="the null path is for senders"),
        pytest.param("RCPT TO:<=?utf-8?Q?support=40example.jp?=>", "550", id="an encoded word"),
        pytest.param("RCPT TO:<=?utf-8?Q?support?=@example.jp>", "550", id="an encoded word that says ours"),
        pytest.param(b"RCPT TO:<support\0@example.jp>", "550", id="NUL"),
        pytest.param("RCPT TO:<サポート@example.jp>".encode(), "550", id="beyond ASCII"),
        pytest.param(b"MAIL FROM:<a\rb@x.example>", "553", id="sender with a CR"),
        pytest.param(b"MAIL FROM:<a\0b@x.example>", "553", id="sender with NUL"),
        pytest.param(b"MAIL FROM:<a\xff@x.example>", "553", id="sender beyond ASCII, no UTF-8"),
        pytest.param("MAIL FROM:<田中@x.example>".encode(), "553", id="sender beyond ASCII"),
        pytest.param("MAIL FROM:<=?utf-8?Q?a=0D=0ARCPT_TO:=3Cv=40x=3E?=@x.example>", "553", id="encoded line end"),
        pytest.param("MAIL FROM:<=?utf-8?Q?tanaka?=@x.example>", "553", id="an encoded word of harmless letters"),
        pytest.param('MAIL FROM:<"a b"@contractor.example>', "553", id="a quoted local part"),
        pytest.param('MAIL FROM:<"a>b"@contractor.example>', "553", id="a bracket inside"),
        pytest.param("MAIL FROM:<tanaka>", "553", id="no domain"),
        pytest.param("MAIL FROM:<" + "(" * 480, "553", id="comments without end"),
        pytest.param("MAIL FROM:<", "553", id="nothing after the bracket"),
        pytest.param("MAIL FROM:<a..b.@docomo.ne.jp>", "250", id="dots as Docomo gave them out"),
        pytest.param("MAIL FROM:<.taro@docomo.ne.jp>", "250", id="a dot before everything"),
        pytest.param('MAIL FROM:<"taro."@ezweb.ne.jp>', "250", id="quotes that au asked for"),
        pytest.param(f"MAIL FROM:<SRS0={'x' * 200}@forwarder.example>", "250", id="a local part beyond 64"),
        pytest.param(f"MAIL FROM:<bounces+{'x' * 250}@list.example>", "553", id="an address beyond 254"),
        pytest.param("MAIL FROM:<tanaka@build_server.example>", "250", id="an underscore in the domain"),
        pytest.param("MAIL FROM:<scan@[192.0.2.1]>", "250", id="an address literal (RFC 5321 §4.1.3)"),
        pytest.param("MAIL FROM:<scan@[IPv6:2001:db8::1]>", "250", id="one of IPv6"),
        pytest.param("MAIL FROM:<scan@[192.0.2.1>", "553", id="half a literal"),
        pytest.param("MAIL FROM:<a[b]@contractor.example>", "553", id="brackets in the local part"),
        pytest.param("MAIL FROM:<>", "250", id="the null reverse-path"),
        pytest.param("MAIL FROM: <tanaka@contractor.example>", "250", id="a blank before the bracket"),
        pytest.param("MAIL FROM:tanaka@contractor.example", "250", id="no brackets"),
    ],
)
async def test_only_harmless_addresses_pass(sqlite: Engine, command: str | bytes, code: str) -> None:
    before = [HELLO, FROM] if command[:1] in ("R", b"R") else [HELLO]
    assert (await _after(sqlite, *before, command)).startswith(code)
    assert kept(sqlite) == []


async def test_a_source_route_is_left_out_rfc_5321_appendix_c(sqlite: Engine) -> None:
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        await client.say(HELLO)
        assert (await client.say(f"MAIL FROM:<@a.example,@b.example:{TANAKA}>")).startswith("250")
        assert (await client.say(f"RCPT TO:<@mx.example.jp:{US}>")).startswith("250")
        await client.say("DATA")
        await client.send()
    (inquiry,) = kept(sqlite)
    assert (inquiry.envelope.mail_from, inquiry.envelope.rcpt_to) == (TANAKA, (US,))


async def test_quotes_that_mean_nothing_are_not_kept_rfc_5321_4_1_2(sqlite: Engine) -> None:
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        for command in (HELLO, 'MAIL FROM:<"taro..y"@docomo.ne.jp>', f"RCPT TO:<{US}>", "DATA"):
            await client.say(command)
        await client.send()
    assert [inquiry.envelope.mail_from for inquiry in kept(sqlite)] == ["taro..y@docomo.ne.jp"]


async def test_the_postmaster_needs_no_domain_rfc_5321_4_5_1(sqlite: Engine) -> None:
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        await client.begin("PostMaster")
        assert (await client.send()).startswith("250")
    assert kept(sqlite)[0].envelope.rcpt_to == ("postmaster@example.jp",)


async def test_commands_that_are_sent_together_are_answered_in_order_rfc_2920(sqlite: Engine) -> None:
    one = f"MAIL FROM:<{TANAKA}>\r\nRCPT TO:<nobody@example.jp>\r\nRCPT TO:<{US}>\r\nDATA\r\n".encode()
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        await client.say(HELLO)
        client.writer.write(one + MAIL + b".\r\n" + one + MAIL + b".\r\nNOOP\r\nQUIT\r\n")
        codes = [reply[:3] for reply in await client.replies(12)]
        assert await client.closed()
    assert codes == ["250", "550", "250", "354", "250"] * 2 + ["250", "221"]
    assert mails(sqlite) == [MAIL, MAIL]


async def test_many_commands_at_once_leave_the_others_their_turn(sqlite: Engine) -> None:
    async with listening(sqlite) as (listener, (address,)):
        busy, other = await Client.to(address), await Client.to(address)
        busy.writer.write(b"NOOP\r\n" * 9000)
        assert (await other.say("NOOP")).startswith("250")
        assert max(session._commands for session in listener._sessions) < 5000
        read = 0
        while read < 9000:
            read += (await asyncio.wait_for(busy.reader.read(1 << 16), 10)).count(b"\n")


async def test_a_fault_inside_a_session_is_temporary_says_nothing_and_passes(sqlite: Engine) -> None:
    async with listening(sqlite) as (listener, (address,)):
        client = await Client.to(address)
        await client.say(HELLO)
        acceptance, listener._reception._acceptance = listener._reception._acceptance, None  # type: ignore[assignment]  # a fault
        await client.say(FROM)
        assert await client.say(f"RCPT TO:<{US}>") == "451 4.3.0 Temporary trouble, please try again later"
        listener._reception._acceptance = acceptance
        await client.begin()
        assert (await client.send()).startswith("250")


class BrokenIntake:
    """An intake as it is when the database breaks in a way of its own."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def take(self, envelope: object, raw: object) -> None:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device: /var/lib/responder"),
        ConnectionResetError("the database's"),
        asyncio.CancelledError(),
        RuntimeError("line\r\n250 forged"),
        RuntimeError("日本語"),
    ],
    ids=["disk full", "connection to the database reset", "cancelled below", "line end in it", "beyond ASCII"],
)
async def test_whatever_breaks_under_a_mail_is_451_and_the_session_goes_on(
    sqlite: Engine, error: BaseException
) -> None:
    async with listening(sqlite) as (listener, (address,)):
        client = await Client.to(address)
        intake, listener._reception._intake = listener._reception._intake, BrokenIntake(error)  # type: ignore[assignment]  # nothing real breaks so
        await client.begin()
        assert await client.send() == "451 4.3.0 Temporary trouble, please try again later"
        listener._reception._intake = intake
        assert (await client.say(FROM)).startswith("250")  # and no 503 for a second MAIL
        await client.begin()
        assert (await client.send()).startswith("250")
    assert mails(sqlite) == [MAIL]

"""HTML of strangers: what is left of it neither runs, nor asks anybody for anything, nor leads anywhere."""

import re

import pytest

from responder.mail.markup import Markup, harmless, markup_in
from responder.mail.message import Unreadable
from tests.mail.test_message import PLAIN, mail, multipart

ADDRESS = "http://canary.example/x"

ATTACKS = {
    "a script": "<script>alert(1)</script>",
    "a script in pieces": "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "an event handler": '<p onclick="alert(1)" onmouseover=alert(1)>x</p>',
    "an image": f'<img src="{ADDRESS}">',
    "an image without a source that fails": "<img src=x onerror=alert(1)>",
    "a set of images": f'<img srcset="{ADDRESS} 2x" alt="">',
    "a picture": f'<picture><source srcset="{ADDRESS}"><img src="{ADDRESS}"></picture>',
    "a background": f'<body background="{ADDRESS}"><table background="{ADDRESS}"><tr><td background="{ADDRESS}">x',
    "a background by style": f'<p style="background:url({ADDRESS})">x',
    "a background by style in escapes": f'<p style="background-image:u\\72l({ADDRESS})">x',
    "an address in an allowed property": f"<p style=\"color: url('{ADDRESS}')\">x",
    "an address behind a comment": f'<p style="color:/**/url({ADDRESS});border:1px">x',
    "an imported sheet": f"<style>@import url({ADDRESS});</style>",
    "a sheet with a background": f"<style>p{{background:url({ADDRESS})}}</style>",
    "a sheet that is linked": f'<link rel="stylesheet" href="{ADDRESS}"><link rel="prefetch" href="{ADDRESS}">',
    "a video": f'<video poster="{ADDRESS}" src="{ADDRESS}" autoplay></video><audio src="{ADDRESS}"></audio>',
    "a refresh": f'<meta http-equiv="refresh" content="0;url={ADDRESS}">',
    "a base": f'<base href="{ADDRESS}">',
    "a form": f'<form action="{ADDRESS}"><input name="a" value="b"><button formaction="{ADDRESS}">go</button></form>',
    "a frame": f'<iframe src="{ADDRESS}" srcdoc="<script>alert(1)</script>"></iframe>',
    "an object": f'<object data="{ADDRESS}"></object><embed src="{ADDRESS}"><applet code="{ADDRESS}"></applet>',
    "a drawing": f'<svg onload=alert(1)><image href="{ADDRESS}"/><use href="{ADDRESS}"/><script>1</script></svg>',
    "a formula": f'<math href="javascript:alert(1)"><mi xlink:href="{ADDRESS}">x</mi></math>',
    "a link of script": '<a href="javascript:alert(1)">x</a><a href="jAvA\tscript:alert(1)">x</a>',
    "a link of data": '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "a mutation by noscript": '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "a mutation by a template": "<template><img src=x onerror=alert(1)></template>",
    "a mutation by mathematics": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "a mutation by a comment": "<!--><img src=x onerror=alert(1)>-->",
    "a mutation by a title": "<title><img src=x onerror=alert(1)></title>",
    "a tag in the address of a link": '<a href="http://a.example/</a><img src=x onerror=alert(1)>">x</a>',
    "a tag in what an image shows": '<img alt="</span><img src=x onerror=alert(1)>">',
    "our own marks": f'<span class="address" style="position:fixed;top:0">{ADDRESS[:4]}</span>',
}
FORBIDDEN = re.compile(
    r"<(?!/?(?:b|div|p|span|table|tbody|td|tr|u)\b)|\s(?:on\w+|src|srcset|href|background|poster|action|data)\s*="
    r"|url|position|@import|javascript",
    re.IGNORECASE,
)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_leaves_nothing_behind(attack: str) -> None:
    found = harmless(f"<div>before{attack}</div>after")
    assert found is not None
    assert found.startswith("<div>before")
    tags = re.sub(r">[^<]*", ">", found)
    assert not FORBIDDEN.search(tags), found


def test_a_link_shows_where_it_leads_and_leads_nowhere() -> None:
    assert harmless('<a href="https://a.example/?b=1&amp;c=%22">申込<b>書</b></a>') == (
        '<u>申込<b>書</b></u> <span class="address">[https://a.example/?b=1&amp;c=%22]</span>'
    )
    assert harmless('<a href="https://a.example/">https://a.example/</a>') == "<u>https://a.example/</u>"
    assert harmless("<a name=top>x</a>") == "<u>x</u>"


def test_an_image_is_what_its_sender_says_that_it_shows() -> None:
    assert harmless('<img src="cid:1" alt="地図">') == '<span class="image">[地図]</span>'
    assert harmless('a<img src="http://a.example/1.gif" width=1 height=1>b') == "ab"


def test_what_people_lay_out_stays() -> None:
    cell = '<td colspan="2" style="color: #f00; text-align: center">赤</td>'
    kept = f'<table border="1"><tbody><tr>{cell}</tr></tbody></table>'
    assert harmless(kept) == kept
    assert harmless('<p style="display:none">preheader</p>') == '<p style="display: none">preheader</p>'


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 100_000,
        "<div></b>" * 50_000,
        "<div><marquee></div></marquee>" * 15_000,
        "<p " + "a=b " * 100_000 + ">",
        "&" * 500_000,
        "<b>" * 200 + "<p><i><div>x</div></i></p>" * 15_000,
    ],
    ids=["nested", "ended by other tags", "ended where it does not count", "attributes", "references", "formatting"],
)
def test_what_would_keep_the_sanitiser_busy_is_not_given_to_it(source: str) -> None:
    assert harmless(source) is None


def test_the_parts_of_a_mail_are_shown_below_each_other_and_what_hangs_on_it_is_not() -> None:
    html = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>%s</p>"
    hung = b"Content-Type: text/html\r\nContent-Disposition: attachment; filename=a.html\r\n\r\n<p>hung</p>"
    found = markup_in(multipart(b"mixed", PLAIN, html % "一".encode(), hung, html % "二".encode()))
    assert isinstance(found, Markup)
    assert [text for text in found.html.split() if text] == ["<p>一</p>", "<p>二</p>"]


def test_a_long_one_is_cut_and_says_so() -> None:
    found = markup_in(mail(b"Content-Type: text/html", body=b"<p>x</p>\r\n" * 60_000))
    assert isinstance(found, Markup)
    assert found.cut
    assert len(found.html) <= 500_000


def test_a_mail_without_html_says_so() -> None:
    assert markup_in(mail(b"Subject: x")) == Unreadable("it holds no HTML")

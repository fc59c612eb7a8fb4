"""HTML as a person sees it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.mail.html import html_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param(
            "<p>パスワードを<b>忘れ</b><span>まし</span>た</p>",
            "パスワードを忘れました",
            id="words stay whole",
        ),
        pytest.param("<div>一行目<br>二行目</div><div>三行目</div>", "一行目\n二行目\n三行目", id="lines"),
        pytest.param("a &amp; b &lt;c&gt;&nbsp;d", "a & b <c> d", id="entities"),
        pytest.param("<html><head><title>T</title><style>p{}</style></head>x", "x", id="the head is not text"),
        pytest.param("<script>alert(1)</script>x<!-- y -->", "x", id="scripts and comments are not text"),
        pytest.param('<p>a</p><p style="color:red; DISPLAY : none">b</p>', "a", id="display:none"),
        pytest.param('<p style="display:none">a<b style="display:block">b</b></p>c', "c", id="inside of it"),
        pytest.param('a<span style="visibility:hidden">b</span>', "a", id="visibility:hidden"),
        pytest.param('a<span style="font-size:0px">b</span>', "a", id="font-size:0"),
        pytest.param('<table style="font-size:0"><tr><td>a</td></tr></table>', "a", id="a shrunk table"),
        pytest.param('a<span style="font-size:0.9em">b</span>', "ab", id="a small font can be read"),
        pytest.param('a<span style="backface-visibility:hidden">b</span>', "ab", id="a back that nobody sees"),
        pytest.param('a<span style="mso-fill-opacity:0">b</span>', "ab", id="a fill without colour"),
        pytest.param('a<span style="background-opacity:0">b</span>', "ab", id="a background without colour"),
        pytest.param('a<span style="x-max-height:0">b</span>', "ab", id="a height of somebody's own"),
        pytest.param("a<span hidden>b</span>", "a", id="the hidden attribute"),
        pytest.param('<?xml version="1.0" encoding="utf-8"?><p>あ</p>', "あ", id="an XML declaration"),
        pytest.param("<?xml:namespace prefix = o /><p>a<?x ?>b</p>", "ab", id="a declaration of Outlook's"),
        pytest.param('a<p style="text-indent:-9999px">b</p>', "a", id="an indent out of sight"),
        pytest.param('<p style="text-indent:-2em">b</p>', "b", id="a hanging indent"),
        pytest.param('a<div style="position:absolute; left:-9999px">b</div>', "a", id="placed beyond the screen"),
        pytest.param('a<div style="margin-left:-999px">b</div>', "a\nb", id="a margin hides nothing"),
        pytest.param('a<span style="mso-hide:all">b</span>', "ab", id="hidden in Outlook only"),
        pytest.param("a<template>b</template>", "a", id="a template is not shown"),
        pytest.param("a<iframe>b</iframe><video>c</video>", "a", id="words for programs without frames or films"),
        pytest.param("a<noscript>b</noscript>", "ab", id="no program that shows mail runs scripts"),
        pytest.param("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>", "漢かん", id="brackets beside ruby"),
        pytest.param("<style>.x{display:none}</style>a<p class='y x'>b</p>", "a", id="a hidden class"),
        pytest.param("<style>p.x , #y{/* } */DISPLAY:none}</style>a<p id=y>b<p class=x>c", "a", id="a hidden id"),
        pytest.param("<style>.x{display:none}</style><p class=x style='display:block'>a", "a", id="shown after all"),
        pytest.param("<style>.x p{display:none}</style><p class=x>a", "a", id="a rule for what is inside"),
        pytest.param("<style>@media print{.x{display:none}}</style><p class=x>a", "a", id="hidden from printers only"),
        pytest.param("<div>" * 400 + "深い" + "</div>" * 400, "深い", id="400 tags deep"),
        pytest.param("<div>" * 3000 + "深い" + "</div>" * 3000, "深い", id="3000 tags deep"),
        pytest.param("<a " + "x=1 " * 5000 + ">a</a>", "a", id="a tag of 20,000 characters"),
        pytest.param('<p style="margin-left:99999em">a</p>', "a", id="a margin of a hundred thousand blanks"),
        pytest.param("", "", id="nothing"),
        pytest.param("  \n ", "", id="blanks only"),
        pytest.param("a < b", "a < b", id="no tag at all"),
        pytest.param("<div>" * 600 + "<style>x</STYLE>a<!-- b --> < c<br>d<script>e", "a < c\nd", id="cut out"),
    ],
)
def test_html_reads_as_it_looks(html: str, text: str) -> None:
    assert html_text(html) == text


@settings(deadline=None)  # the first run imports codecs and layout engine
@given(st.lists(st.sampled_from(["<div>", "</div>", "<!--", "-->", "<", "<p hidden>", "&#0;", "<?", "あ", "<style>"])))
def test_any_markup_becomes_text(parts: list[str]) -> None:
    assert "\0" not in html_text("".join(parts))


@pytest.mark.parametrize(
    "unit",
    [
        "<!--",
        "<",
        "<div>",
        "</div>",
        "<script>",
        "<?",
        "<a ",
        "<td>",
        "<p>",
        "&amp;",
        "<a x='>' ",
        "<b>x</b>",
        "<style>.x{",
        "<style>/*",
        "<p class='x y' style='display: '>",
        "<ul><li>",
    ],
)
def test_hostile_markup_takes_seconds_at_most(unit: str) -> None:
    begun = time.process_time()
    html_text(unit * (500_000 // len(unit)))
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<a " + " ".join(f"x{n}=1" for n in range(50_000)) + ">a</a>", id="50,000 attributes"),
        pytest.param("<table><tr>" + "<td>x" * 99_000, id="99,000 cells"),
    ],
)
def test_tags_that_would_stall_the_layout_are_cut_out_instead(html: str) -> None:
    begun = time.process_time()
    assert html_text(html)
    assert time.process_time() - begun < 2

"""What visitors read of a page: the quick way and the thorough one tell the same, whatever the markup."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.actions.web import visible
from runner.actions.web.pages import parse_page
from runner.actions.web.visible import visible_text

PIECES = (
    "Pengadilan Negeri", "Tais", " ", "\n", "<", ">", "/", "&", "&amp;", "&#80;", "&l", "t;", "=", "'", '"', "!", "?",
    "-->", "<p>", "</p>", "<b>", "</b>", "<br/>", "<br", "<a href=/x/y/>", "<a title='a > b'>", '<a title="<!--">',
    "<a b=c/d e>", "<!-- ", "<!-->", "<!doctype html>", "<?php ", "<script>", "</script>", "<SCRIPT src=x>",
    "</Script >", "<script/>", "<style>", "</style", "<title>", "</title>", "<textarea x='", "</textarea>", "< a",
    "</ p>", "<\u017fcript>", "\u212a", "</\u017fcript>", "<img alt=\"a\"src='b'>", "<p\u00a0x>", "<x:y @z=1>", "<a ",
    "x = ", "noembed>", "<noembed", "\x00",
)  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=25).map("".join))
@example("<script>a</\u017fcript>b</script>c")
@example("<p title='>'>satu</p><p class=x>dua &amp; tiga<!-- <b> -->empat</p>")
def test_both_ways_of_reading_tell_the_same(markup: str) -> None:
    assert visible_text(markup) == " ".join(parse_page(markup).whole.split())


def test_a_page_as_it_should_be_is_read_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visible, "parse_page", None)
    tag = """<div class="a b" id=c data-x='{"y": 1}'>"""
    row = f"{tag}<a href=/berita/1?x=1&amp;y=2>Judul <b>berita</b></a><br /></div>\n"
    head = "<!DOCTYPE html><title>T</title><script>if (a < b) { c('</p>') }</script>"
    assert visible_text(f"{head}<body><h1>1 < 2 &amp; 3</h1>{row * 3}") == "1 < 2 & 3" + " Judul berita" * 3


HOSTILE = (
    "<a b='",
    '<a b="',
    "<a b=c/",
    "<a ",
    '<b" q="',
    "<b x='\" y=' z=\"",
    "<script ",
    "<!--",
    "<a/",
    "</",
    "<a b = ",
)


@pytest.mark.parametrize("piece", [*HOSTILE, "&#", "<p>"])
def test_hostile_markup_takes_time_in_proportion(piece: str) -> None:
    def seconds(size: int) -> float:
        begun = time.thread_time()
        visible_text(piece * (size // len(piece)))
        return time.thread_time() - begun

    assert seconds(800_000) < 40 * max(0.1, seconds(100_000)), "eight times the page, not 64 times the time"

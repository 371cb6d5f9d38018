from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.spelling import canonical, has_hidden_characters, search_key


@given(st.text(max_size=40))
def test_every_form_of_a_text_has_one_spelling(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    assert canonical(unicodedata.normalize("NFD", text)) == once
    assert canonical(unicodedata.normalize("NFC", text)) == once
    assert canonical(f"  {text}\u00a0 ") == once
    assert canonical(text.replace(" ", " \u3000 ")) == once


def test_line_breaks_and_controls_are_not_folded_away() -> None:
    for letter in "\n\t\x1f\x7f\x85\u2028\u2029":
        assert letter in canonical(f"a{letter}b")
        assert has_hidden_characters(f"a{letter}b")
        assert has_hidden_characters(f"a{letter}b", in_name=True)


@pytest.mark.parametrize(
    "letter",
    [
        *("\u200b", "\u200c", "\u200d", "\u200e", "\u202e", "\u2066", "\u2069", "\ufeff", "\u00ad"),
        *("\u034f", "\u061c", "\u180e", "\u2060", "\u3164", "\uffa0", "\ufe0f", "\U000e0041"),
    ],
)
def test_what_nobody_sees_is_hidden_in_an_id_and_in_a_latin_name(letter: str) -> None:
    assert has_hidden_characters(f"a{letter}b")
    assert has_hidden_characters(f"a{letter}b", in_name=True)
    assert has_hidden_characters(letter, in_name=True)


@pytest.mark.parametrize(
    "name",
    [
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
        "\u845b\U000e0100\u57ce",
        "Ólafur Ünsal 王",
        "O\u2019Brien-Smith",
    ],
)
def test_names_keep_what_their_script_needs(name: str) -> None:
    assert not has_hidden_characters(canonical(name), in_name=True)
    assert not has_hidden_characters("Müller 42/7 王")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("zoe", "Zoë Müller"),
        ("MULLER", "Zoë Mu\u0308ller"),
        ("strasse", "Jo Straße"),
        ("\uff4b\uff49\uff4d", "Kim Example"),
        ("\u0639\u0644\u06cc\u0631\u0636\u0627", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"),
        ("nguyen", "Nguyễn"),
        ("istanbul", "İstanbul"),
    ],
)
def test_a_name_is_found_without_case_and_accents(typed: str, stored: str) -> None:
    assert search_key(typed) in search_key(stored)


@given(st.text(max_size=40))
def test_a_search_key_is_its_own_search_key(text: str) -> None:
    assert search_key(canonical(text)) == search_key(text)

"""One spelling for every id and name, and what may not stand in one."""

from __future__ import annotations

import re
import unicodedata

#: White space but for control characters and separators of lines, which are refused, not folded.
_SPACES = re.compile(r"[^\S\x00-\x1f\x7f-\x9f\u2028\u2029]+")
#: Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt): nobody sees them.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: What names are written with in some scripts: the joiners of Persian and Indic writing, and the
#: variants of Han characters. After anything else they only hide a difference.
_JOINER_OR_VARIANT = re.compile("[\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_FIRST_SCRIPT_THAT_JOINS = 0x0600  # Arabic; Latin, Greek, Cyrillic and Hebrew lie before it
#: Controls, formats, halves of a pair, separators of lines and of paragraphs.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def canonical(text: str) -> str:
    """Return the one spelling of an id or name: NFC, single spaces, none at the ends.

    A keyboard, a file name and a database may each write the same name in another form.
    """
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text).strip())


def has_hidden_characters(text: str, *, in_name: bool = False) -> bool:
    """Tell whether a text holds what nobody sees, or what changes the order of what is seen.

    A name may hold the joiners and variant selectors of scripts that need them, behind a letter.
    """
    return any(
        _is_hidden(letter) and not (in_name and _belongs_to_script(text, position))
        for position, letter in enumerate(text)
    )


def search_key(name: str) -> str:
    """Return what names are searched by: without case, accents and hidden characters.

    Letters that no accent makes (as in Danish or Polish) stay what they are.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(
        letter
        for letter in decomposed
        if not unicodedata.combining(letter) and not _is_hidden(letter)
    )
    return canonical(plain)


def _is_hidden(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category in _REFUSED_CATEGORIES or _IGNORABLE.match(letter) is not None


def _belongs_to_script(text: str, position: int) -> bool:
    before = text[position - 1] if position else ""
    return (
        _JOINER_OR_VARIANT.match(text[position]) is not None
        and ord(before or " ") >= _FIRST_SCRIPT_THAT_JOINS
        and unicodedata.category(before)[0] in {"L", "M"}
        and not _is_hidden(before)
    )

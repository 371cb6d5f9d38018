"""What must be true of every report's HTML."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def assert_asks_no_host(text: str) -> None:
    """One file holds everything: no address, no script, every picture as data."""
    page = Page(text)
    assert "://" not in text
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        if tag == "img":
            assert str(attributes["src"]).startswith("data:image/png;base64,")
        assert not [name for name in attributes if name.startswith("on")]

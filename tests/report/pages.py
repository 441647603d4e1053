"""What a browser would load for a page, and whether its elements nest."""

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Reader(HTMLParser):
    """Collects ids, links to elsewhere and elements that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []
        self.headings: list[str] = []
        self.styles = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.look(attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in VOID or "svg" in self.open, f"<{tag}/> is not closed in HTML"
        self.look(attributes)

    def look(self, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("src", "href", "xlink:href", "srcset", "action", "data", "poster"):
                (self.references if (value or "").startswith("#") else self.targets).append(value or "")
            elif name == "style":
                self.styles += value or ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.styles += data
        if (self.open and self.open[-1] in ("h1", "h2")) or self.open[-2:] == ["h2", "a"]:
            self.headings.append(data.strip())


def read(html: str) -> Reader:
    """The page, checked to load nothing from elsewhere."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    assert all(target.startswith("data:") for target in reader.targets)
    assert not re.search(r"@import|url\((?!#)", reader.styles)
    assert len(set(reader.ids)) == len(reader.ids)
    assert {reference[1:] for reference in reader.references} <= set(reader.ids)
    return reader

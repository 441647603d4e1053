"""Text for a page: escaped, with paragraphs, lists, **bold** and `code`."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_MARKED = re.compile(r"(`[^`\n]+`|\*\*[^*]+?\*\*)")


def inline(text: str) -> Markup:
    """One run of text as HTML.

    Examples
    --------
    >>> print(inline("**3** of `x < y`"))
    <strong>3</strong> of <code>x &lt; y</code>
    """
    pieces = []
    for piece in _MARKED.split(text):
        if piece.startswith("`") and len(piece) > 2:
            pieces.append(Markup("<code>{}</code>").format(piece[1:-1]))
        elif piece.startswith("**") and len(piece) > 4:
            pieces.append(Markup("<strong>{}</strong>").format(piece[2:-2]))
        else:
            pieces.append(escape(piece))
    return Markup("").join(pieces)


def paragraphs(text: str) -> Markup:
    """Paragraphs parted by empty lines as HTML; one whose lines all begin with "- " is a list."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines()]
        if not lines:
            continue
        if all(line.startswith("- ") for line in lines):
            items = Markup("").join(Markup("<li>{}</li>").format(inline(line[2:])) for line in lines)
            blocks.append(Markup("<ul>{}</ul>").format(items))
        else:
            blocks.append(Markup("<p>{}</p>").format(inline(" ".join(lines))))
    return Markup("\n").join(blocks)


def slug(text: str) -> str:
    """A name for an anchor: lower case, words joined by hyphens.

    Examples
    --------
    >>> slug("Weak & dead neurons")
    'weak-dead-neurons'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"

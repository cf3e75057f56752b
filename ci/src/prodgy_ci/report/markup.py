"""HTML of anybody's words, and nothing of them as markup."""

from collections.abc import Sequence
from html import escape as _escaped

from .text import clean


def escape(text: str) -> str:
    """As text of an element; written so that the CI server sees no command if someone prints the page."""
    return _escaped(clean(text)).replace("##", "#&#35;")


def attribute(text: str) -> str:
    """As an attribute's value, in quotation marks."""
    return escape(" ".join(text.split()))


def state(kind: str, text: str) -> str:
    """Words whose colour tells a state that they tell too."""
    return f'<span class="state {attribute(kind.replace(" ", "-"))}">{escape(text)}</span>'


def code(text: str) -> str:
    """Names and numbers in a type of equal width."""
    return f"<code>{escape(text)}</code>"


def block(text: str) -> str:
    """Lines as they are; nothing for no lines."""
    return f"<pre>{escape(text)}</pre>" if text.strip() else ""


def details(summary: str, content: str, opened: bool = False) -> str:
    """What unfolds. Both are markup."""
    return (
        f"<details{' open' if opened else ''}><summary>{summary}</summary>{content}</details>" if content else summary
    )


def section(title: str, content: str) -> str:
    """A part of the page; nothing where it has no content, which is markup."""
    return f"<section><h2>{escape(title)}</h2>{content}</section>" if content else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column names the row. The cells are markup; an empty one is left out on a phone."""
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(map(_cell, range(len(row)), head, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _cell(column: int, label: str, content: str) -> str:
    kind = ' class="name"' if column == 0 else ' class="empty"' if not content else ""
    return f'<td{kind} data-label="{attribute(label)}">{content if column == 0 else f"<div>{content}</div>"}</td>'

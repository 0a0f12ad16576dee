"""Writes llms.txt, the documentation's list for language models: https://llmstxt.org."""

from __future__ import annotations

from docsite.navigation import INDEX, ROOT, sections

PATH = ROOT / "llms.txt"

_HEAD = """\
# neonup

> A real Postgres database for any Python project, the moment it is needed: on this machine
> (`pip install "neonup[local]"`), at Neon without an account, or in one; and `neonup serve`, a Neon
> on this machine. `neonup`, or `neonup.ensure()` in a program, finds the project's database or
> creates one, and writes `DATABASE_URL` into `.env`.

To use neonup in a project, begin with [For coding agents](docs/coding-agents.md); to work on neonup
itself, with [AGENTS.md](AGENTS.md). Commands that answer take `--json`. Passwords and claim links
are secrets: neonup masks them, and so should whoever reads `.env`.
"""


def text() -> str:
    """The file as it should be: the pages of docs/README.md, under its headings."""
    lists = (
        f"\n## {title}\n\n"
        + "".join(
            f"- [{page.title}]({INDEX.parent.name}/{page.file}): {page.about}\n" for page in pages
        )
        for title, pages in sections().items()
    )
    return _HEAD + "".join(lists)


if __name__ == "__main__":
    PATH.write_text(text(), "utf-8")

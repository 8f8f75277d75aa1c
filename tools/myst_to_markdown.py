"""Turn the MyST of a chapter into the plain Markdown that a notebook shows.

A directive or role that is not listed here is an error, so that nothing reaches a notebook unrendered.
"""

import os
import re
from pathlib import PurePosixPath

from book_index import cite, kind_of
from myst_blocks import split_blocks

ADMONITIONS = {"note": "Note", "tip": "Tip", "hint": "Hint", "warning": "Warning", "important": "Important",
               "caution": "Caution", "attention": "Attention", "danger": "Danger", "seealso": "See also"}
QUOTED = {"admonition", "dropdown", "margin", "sidebar", "epigraph", "pull-quote"}
DROPPED = {"bibliography", "tableofcontents", "contents", "raw", "only", "solution", "glue:figure", "glue",
           "exercise-end", "index"}
CONTAINERS = {"tab-set", "div", "card", "grid", "grid-item", "grid-item-card"}

_INLINE = re.compile(
    r"\{(?P<name>[\w:.+-]+)\}(?P<ticks>`+)(?P<content>.+?)(?P=ticks)"  # a role
    r"|(?P<verbatim>`+[^`]+`+|(?<!\\)\$[^$]+\$)"  # code or a formula
    r"|(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)",  # a link or an image
    flags=re.S,
)
_TITLED = re.compile(r"^(?P<text>.*?)\s*<(?P<target>[^<>]+)>$", flags=re.S)


class Converter:
    """Converts the Markdown cells of one page, in order; numbers run on from cell to cell."""

    def __init__(self, book, page, glued, solutions=False):
        self.book, self.page, self.glued, self.solutions = book, page, glued, solutions
        self.counts = {}
        self.cited = set()
        self.in_solution = False

    def next_number(self, kind):
        """Return the number that the index gave to the next block of this kind."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self.page.numbers[kind, self.counts[kind]]

    def cell(self, source):
        """Return [("markdown" | "code", text), ...] for one Markdown cell."""
        pieces = self.blocks(source.split("\n"))
        merged = []
        for kind, text in pieces:
            if kind == "markdown" and merged and merged[-1][0] == "markdown":
                merged[-1] = (kind, merged[-1][1] + "\n\n" + text.strip("\n"))
            elif text.strip():
                merged.append((kind, text.strip("\n")))
        return [(kind, re.sub(r"\n{3,}", "\n\n", text)) for kind, text in merged]

    def blocks(self, lines):
        """Convert the blocks of a cell or of a directive's body."""
        pieces = []
        for block in split_blocks(lines):
            if block.name in ("solution-start", "solution-end"):
                self.in_solution = block.name == "solution-start" and not self.solutions
                if self.solutions and block.name == "solution-start":
                    pieces.append(("markdown", "**Solution**"))
            elif not self.in_solution:
                pieces.extend(getattr(self, f"_{block.kind}")(block))
            else:
                self._skip([block])
        return pieces

    def _skip(self, blocks):
        """Count what is left out, so that the numbers of what follows stay those of the book."""
        for block in blocks:
            if kind_of(block):
                self.next_number(kind_of(block))
            if block.kind == "directive":
                self._skip(split_blocks(block.lines))

    def _text(self, block):
        lines = [line for line in block.lines if not re.match(r"^(%|\([\w:.-]+\)=\s*$)", line)]
        return [("markdown", self.inline("\n".join(lines)))]

    def _fence(self, block):
        lines = [f"```{block.argument}", *block.lines, "```"]
        return [("markdown", "\n".join(f"{block.indent}{line}".rstrip() for line in lines))]

    def _math(self, block):
        tag = [rf"\tag{{{self.next_number('Equation')}}}"] if block.label else []
        return [("markdown", "\n".join(["$$", *block.lines, *tag, "$$"]))]

    def _directive(self, block):
        name = block.name
        if name in DROPPED:
            self._skip([block])
            return []
        if name == "math":
            return self._math(block)
        if name in ("code-block", "code", "sourcecode"):
            return self._fence(block)
        if name in ("exercise", "exercise-start"):
            return self._exercise(block)
        if name in ("figure", "image"):
            return self._figure(block)
        if name == "table":
            title = f"**Table {self.next_number('Table')}.** {self.inline(block.argument)}"
            return [("markdown", title), *self.blocks(block.lines)]
        if name in CONTAINERS:
            return self.blocks(block.lines)
        if name == "tab-item":
            return [("markdown", f"**{self.inline(block.argument)}**"), *self.blocks(block.lines)]
        return self._quoted(block)

    def _quoted(self, block):
        """Admonitions, asides and theorems become quotations with a bold title."""
        title = self.inline(block.argument)
        if block.name in ADMONITIONS:
            title = ADMONITIONS[block.name] + (f": {title}" if title else "")
        elif block.name.startswith("prf:"):
            kind = kind_of(block)
            number = f" {self.next_number(kind)}" if kind else ""
            title = f"{block.name.removeprefix('prf:').capitalize()}{number}" + (f" ({title})" if title else "")
        elif block.name not in QUOTED:
            raise ValueError(f"{self.page.path.name}: the directive {block.name!r} has no form in a notebook; "
                             "give it one in tools/myst_to_markdown.py")
        body = "\n\n".join(text.strip("\n") for _, text in self.blocks(block.lines))
        lines = ([f"**{title}**", ""] if title else []) + body.split("\n")
        return [("markdown", "\n".join(f"> {line}".rstrip() for line in lines))]

    def _exercise(self, block):
        """A heading and the text; a ```python fence in it is the starter code and becomes a cell to be filled in."""
        number = f" {self.next_number('Exercise')}" if kind_of(block) else ""
        title = f": {self.inline(block.argument)}" if block.argument else ""
        pieces = [("markdown", f"### Exercise{number}{title}")]
        for part in split_blocks(block.lines):
            if part.kind == "fence" and part.argument == "python":
                pieces.append(("code", "\n".join(part.lines)))
            else:
                pieces.extend(getattr(self, f"_{part.kind}")(part))
        return pieces

    def _figure(self, block):
        image = f"![{block.options.get('alt', '')}]({self.path(block.argument)})"
        if not kind_of(block):
            return [("markdown", image)]
        caption = "\n\n".join(text for _, text in self.blocks(block.lines))
        return [("markdown", f"{image}\n\n**Figure {self.next_number('Figure')}.** {caption}")]

    def path(self, target):
        """Return a path relative to the page as one relative to the folder of the notebooks."""
        if re.match(r"^(\w+:|#)", target):
            return target
        source, _, anchor = target.partition("#")
        path = (self.page.path.parent / source).resolve()
        root = next(p for p in self.page.path.parents if p.name == "book").parent
        page = self.book.pages.get(path)
        moved = root / "notebooks" / f"{path.stem}.ipynb" if page and page.has_code else path
        return PurePosixPath(os.path.relpath(moved, root / "notebooks")).as_posix() + (f"#{anchor}" if anchor else "")

    def inline(self, text):
        """Convert the roles and links of running text; leave inline code alone."""
        def replace(match):
            if match["verbatim"]:
                return match["verbatim"]
            if match["name"]:
                return self.role(match["name"], match["content"])
            return f"{match['image']}[{match['text']}]({self.path(match['target'])})"

        return _INLINE.sub(replace, text)

    def role(self, name, content):
        """Return one role as readable Markdown."""
        titled = _TITLED.match(content)
        text, target = (titled["text"], titled["target"]) if titled else ("", content)
        if name.startswith("cite"):
            self.cited.update(key.strip() for key in target.split(","))
            return cite(self.book, target, textual=name in ("cite:t", "cite:ts", "cite:alt"))
        if name in ("numref", "ref", "eq", "prf:ref", "exercise:ref"):
            return self.label(text, target)
        if name == "doc":
            return self.doc(text, target)
        if name.startswith("glue"):
            return f"`{self.glued_expression(target.split(':')[0])}`"
        if name in ("func", "class", "meth", "mod"):
            return f"`{target}`"
        plain = {"math": f"${content}$", "sub": f"<sub>{content}</sub>", "sup": f"<sup>{content}</sup>", "index": "",
                 "kbd": f"`{content}`", "code": f"`{content}`", "abbr": content, "term": text or content}
        if name not in plain:
            raise ValueError(f"{self.page.path.name}: the role {name!r} has no form in a notebook; "
                             "give it one in tools/myst_to_markdown.py")
        return plain[name]

    def label(self, text, target):
        """Return the text of a reference to a label: its own text, or the number or title of what it names."""
        if target not in self.book.labels:
            raise ValueError(f"{self.page.path.name}: no label {target!r} in the book")
        found = self.book.labels[target]
        number = found.split(" ")[-1]
        return text.replace("%s", number).replace("{number}", number) if text else found

    def doc(self, text, target):
        """Return a link to another chapter's notebook, or the title of a page that has none."""
        path = (self.page.path.parent / f"{target}.md").resolve()
        if path not in self.book.pages:
            raise ValueError(f"{self.page.path.name}: no page {target!r}")
        page = self.book.pages[path]
        title = text or page.title
        return f"[{title}]({path.stem}.ipynb)" if page.has_code else title

    def glued_expression(self, name):
        """Return the Python expression whose value the book shows: a notebook computes it, so the text names it."""
        if name not in self.glued:
            raise ValueError(f"{self.page.path.name}: nothing is glued as {name!r}")
        return self.glued[name]

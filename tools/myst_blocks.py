"""Split MyST Markdown into plain text, formulas, code fences and directives."""

import re
from dataclasses import dataclass, field

_OPEN = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,}|:{3,}|~{3,})(?:\{(?P<name>[\w:.-]+)\})?(?P<rest>.*)$")
_OPTION = re.compile(r"^:([\w-]+):\s*(.*)$")
_MATH_END = re.compile(r"\$\$\s*(?:\((?P<label>[\w:.-]+)\))?\s*$")


@dataclass(frozen=True)
class Block:
    """A piece of a page. `kind`: text, math, fence, directive. `lines`: its content without fences and options."""

    kind: str
    lines: list
    name: str = ""
    argument: str = ""
    options: dict = field(default_factory=dict)
    indent: str = ""

    @property
    def label(self):
        """The name by which other places refer to this block, or an empty string."""
        return self.options.get("label") or self.options.get("name") or ""


def _closing(lines, start, indent, fence):
    """Return the index of the line that closes a fence opened just before `start`."""
    closer = re.compile(rf"^\s{{0,{len(indent) + 3}}}{re.escape(fence[0])}{{{len(fence)},}}\s*$")
    for i in range(start, len(lines)):
        if closer.match(lines[i]):
            return i
    raise ValueError(f"a fence {fence!r} is never closed; it starts before: {lines[start:start + 1]}")


def _options(body):
    """Split the leading `:key: value` lines off a directive's body."""
    options, i = {}, 0
    while i < len(body) and (match := _OPTION.match(body[i].strip())):
        options[match[1]] = match[2].strip()
        i += 1
    while i < len(body) and not body[i].strip():
        i += 1
    return options, body[i:]


def _math(lines, start):
    """Return the block of a `$$` formula that starts at `start`, and the index after it."""
    first = lines[start].strip()
    end = start
    if not (len(first) > 2 and _MATH_END.search(first[2:])):
        end = next(i for i in range(start + 1, len(lines)) if _MATH_END.search(lines[i]))
    text = "\n".join(lines[start : end + 1]).strip()[2:]
    match = _MATH_END.search(text)
    body = text[: match.start()].strip().split("\n")
    return Block("math", body, options={"label": match["label"] or ""}), end + 1


def split_blocks(lines):
    """Return the blocks of a page or of a directive's body, in order."""
    blocks, text, i = [], [], 0

    def flush():
        if text:
            blocks.append(Block("text", list(text)))
            text.clear()

    while i < len(lines):
        match = _OPEN.match(lines[i])
        if lines[i].strip().startswith("$$"):
            flush()
            block, i = _math(lines, i)
            blocks.append(block)
        elif match and "`" not in match["rest"]:
            flush()
            end = _closing(lines, i + 1, match["indent"], match["fence"])
            body = [line[len(match["indent"]) :] for line in lines[i + 1 : end]]
            if match["name"]:
                options, body = _options(body)
                blocks.append(Block("directive", body, match["name"], match["rest"].strip(), options))
            else:
                blocks.append(Block("fence", body, argument=match["rest"].strip(), indent=match["indent"]))
            i = end + 1
        else:
            text.append(lines[i])
            i += 1
    flush()
    return blocks

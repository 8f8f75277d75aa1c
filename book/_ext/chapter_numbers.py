"""Number a chapter by its file name: `09-nfxp.md` is chapter 9, whatever chapters are written so far.

Sphinx counts the files of the table of contents instead. Figures, equations and exercises of the chapter
follow (Exercise 9.1), since they take the chapter's number from the same table.
"""

import re

from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

CHAPTER_FILE = re.compile(r"(?:^|/)(\d\d)-[^/]+$")


def with_chapter(number, chapter):
    """Replace the first part of a section number such as (2, 3) or [2, 3]; None stays None."""
    return number and type(number)([chapter, *number[1:]])


def renumber(env):
    """Put the chapters' numbers into the tables that Sphinx has just filled."""
    for docname, numbers in env.toc_secnumbers.items():
        match = CHAPTER_FILE.search(docname)
        if not match:
            continue
        chapter = int(match[1])
        env.toc_secnumbers[docname] = {key: with_chapter(number, chapter) for key, number in numbers.items()}
        for node in [env.titles[docname], *env.tocs[docname].findall()]:
            if getattr(node, "attributes", {}).get("secnumber"):
                node["secnumber"] = with_chapter(node["secnumber"], chapter)


def setup(app):
    """Wrap the step that assigns section numbers: its last version is that of sphinx-external-toc."""
    assign = TocTreeCollectorWithStyles.assign_section_numbers

    def assign_section_numbers(self, env):
        before = dict(env.toc_secnumbers)
        assign(self, env)
        renumber(env)
        return [doc for doc, numbers in env.toc_secnumbers.items() if before.get(doc) != numbers]

    TocTreeCollectorWithStyles.assign_section_numbers = assign_section_numbers
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Let the launch and download buttons of a page serve its student notebook.

The theme's buttons point at the chapter's .md file, which Colab cannot open, and offer the executed notebook for
download, with its solutions. Both become `notebooks/<chapter>.ipynb`, which tools/build_notebooks.py generates.
"""

import shutil
from pathlib import Path, PurePosixPath


def student_notebook(pagename):
    """Return the path of a page's notebook, relative to the root: book/chapters/09-nfxp -> notebooks/09-nfxp.ipynb."""
    return f"notebooks/{PurePosixPath(pagename).name}.ipynb"


def relink(app, pagename, templatename, context, doctree):
    """Rewrite the links that the theme has put into this page's header; runs after the theme's own listeners."""
    notebook = student_notebook(pagename)
    if not (Path(app.srcdir) / notebook).exists():
        return
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if group.get("label") == "launch-buttons":
                button["url"] = button["url"].replace(f"{pagename}.md", notebook)
    if "ipynb_source" in context:
        shutil.copyfile(Path(app.srcdir) / notebook, Path(app.outdir) / "_sources" / context["ipynb_source"])


def setup(app):
    """Listen after the theme, which adds its buttons at priority 501."""
    app.connect("html-page-context", relink, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

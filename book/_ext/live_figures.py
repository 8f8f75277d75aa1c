"""Give a page that shows live figures the script and the style sheet that they share, once for the whole book.

Both are made by `compecon.live.bundle` and written to `_static` when the build begins. A page without a live figure
does not load them.
"""

from pathlib import Path

from compecon.live.bundle import script, style

SCRIPT, STYLE = "compecon-live.js", "compecon-live.css"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def write_assets(app, exception):
    """Write the two files beside the theme's."""
    folder = Path(app.outdir) / "_static"
    if exception is None and folder.exists():
        (folder / SCRIPT).write_text(script(), encoding="utf-8")
        (folder / STYLE).write_text(style(), encoding="utf-8")


def add_assets(app, pagename, templatename, context, doctree):
    """Link them from a page with figures, and drop the widgets' saved state, which only a widget manager could read."""
    if "data-live-figure" in context.get("body", ""):
        app.add_css_file(STYLE)
        app.add_js_file(SCRIPT, loading_method="defer")
    context["script_files"] = [
        file for file in context["script_files"] if getattr(file, "attributes", {}).get("type") != WIDGET_STATE
    ]


def setup(app):
    """Listen after myst-nb has added the widgets' state."""
    app.connect("html-page-context", add_assets, priority=600)
    app.connect("build-finished", write_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Take out sphinx-thebe: jupyter-book always loads it, nothing uses it, and its script logs an error on every page."""


def remove_thebe(app, config):
    """Disconnect every listener of sphinx-thebe and its style sheet before it has done anything."""
    for listeners in app.events.listeners.values():
        listeners[:] = [entry for entry in listeners if entry.handler.__module__ != "sphinx_thebe"]
    app.registry.css_files[:] = [entry for entry in app.registry.css_files if entry[0] != "sphinx-thebe.css"]


def setup(app):
    """Run once the configuration is read, when all extensions are loaded."""
    app.connect("config-inited", remove_thebe)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

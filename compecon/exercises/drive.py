"""Sliders for a student's own function: `drive(function, discount=(0, 0.99, 0.01))` draws what it returns."""

import numpy as np

_NOTHING = "Your function returns nothing yet. Fill it in, run its cell, and run this one again."


def drive(function, x=None, labels=("", ""), log=False, **sliders):
    """Show sliders that call `function`, and draw the curve that it returns.

    A student writes the function; this moves its arguments. Whatever it does wrong is said below the sliders.

    Parameters
    ----------
    function : callable
        Takes the sliders' values by name. Returns the curve's heights, an array, or a dict from labels to such arrays.
    x : array, optional
        The curve's places, 0, 1, 2, ... if not given.
    labels : (str, str)
        Of the two axes.
    log : bool
        Whether heights are drawn on a logarithmic scale.
    **sliders : (low, high, step)
        By the name of the argument.

    Returns
    -------
    ipywidgets.interactive

    Examples
    --------
    >>> import numpy as np
    >>> from compecon.exercises import drive
    >>> drive(lambda rate: rate ** np.arange(50), log=True, rate=(0.5, 0.99, 0.01))  # doctest: +SKIP
    """
    from ipywidgets import interactive

    def show(**values):
        problem = _draw(function, values, x, labels, log)
        if problem:
            print(problem)

    widget = interactive(show, **sliders)
    for slider in widget.children[:-1]:
        slider.style.description_width = "initial"
    return widget


def _draw(function, values, x, labels, log):
    """Draw the curves at these values, or return what is wrong."""
    import matplotlib.pyplot as plt

    try:
        found = function(**values)
    except Exception as error:
        return f"Your function stopped with {type(error).__name__}: {error}"
    curves = found if isinstance(found, dict) else {"": found}
    if any(curve is None or curve is ... for curve in curves.values()):
        return _NOTHING
    try:
        curves = {label: np.asarray(curve, dtype=float) for label, curve in curves.items()}
    except (TypeError, ValueError):
        return f"Expected an array of numbers; found {type(found).__name__}."
    for curve in curves.values():
        if curve.ndim != 1 or (x is not None and curve.size != len(x)):
            wanted = "(n,)" if x is None else f"({len(x)},)"
            return f"The shape of what your function returns is {curve.shape}; it should be {wanted}."
    _, ax = plt.subplots(figsize=(6, 3.2))
    for label, curve in curves.items():
        ax.plot(np.arange(curve.size) if x is None else x, curve, label=label)
    ax.set(xlabel=labels[0], ylabel=labels[1], yscale="log" if log else "linear")
    if len(curves) > 1:
        ax.legend()
    plt.show()
    return None

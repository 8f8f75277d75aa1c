"""The box under an exercise of the online book, where there is no Python: its HTML, and the table that checks it.

The table is made from the exercise when the book is built, so that the page (book/_static/answers.js) gives the same
diagnoses as `check` does.
"""

from html import escape

import numpy as np

from compecon._embedding import embedded


def answer_table(exercise):
    """What a page needs to check the answer: a dict of plain data; None for a function, which only Python can check.

    predict: number, kind, right (an option), options (option -> reason).
    compute: number, kind, right (list of numbers), single (whether it is one number and no list), rtol, mistakes
    (list of values and message), in the order in which they are tried.
    """
    head = {"number": exercise.number, "kind": exercise.kind}
    if exercise.kind == "predict":
        return {**head, "right": exercise.solution(), "options": exercise.options}
    if exercise.kind == "implement":
        return None
    right = np.asarray(exercise.solution(), dtype=float)
    made = [(np.asarray(mistake.answer(), dtype=float), mistake.message) for mistake in exercise.mistakes]
    mistakes = [{"values": values.ravel().tolist(), "message": message} for values, message in made
                if values.shape == right.shape and np.isfinite(values).all()]
    return {**head, "right": right.ravel().tolist(), "single": right.ndim == 0, "rtol": exercise.rtol,
            "mistakes": mistakes}


def answer_box(exercise):
    """The form as HTML; for a function, a line that says where it can be checked."""
    table = answer_table(exercise)
    if table is None:
        return ('<p class="answer-elsewhere">This answer is a function. Write and check it in the chapter\'s notebook: '
                "the rocket or the download button at the top of the page.</p>")
    fields = _choices(table) if exercise.kind == "predict" else _field(table)
    return "\n".join([
        f'<form class="answer-box" data-exercise="{escape(exercise.number)}" autocomplete="off">', fields,
        '<button type="submit">Check</button>', '<output role="status"></output>',
        f'<script type="application/json">{embedded(table)}</script>', "</form>",
    ])  # fmt: skip


def _choices(table):
    """One radio button an option."""
    name = f"answer-{table['number'].replace('.', '-')}"
    radios = [f'<label><input type="radio" name="{name}" value="{escape(option)}"> {escape(option)}</label>'
              for option in table["options"]]
    return f"<fieldset><legend>Your prediction</legend>{''.join(radios)}</fieldset>"


def _field(table):
    """A line to type into."""
    size = len(table["right"])
    what = "Your answer" if table["single"] else f"Your answer, {size} numbers"
    return f'<label>{what} <input type="text" inputmode="text" spellcheck="false"></label>'

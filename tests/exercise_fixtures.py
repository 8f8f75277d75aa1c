"""For the tests of the exercises: solutions by number, and how a page's answer box is asked."""

from compecon.exercises.catalogue import chapters, exercises_of, find_exercise

EXERCISES = [exercise for chapter in chapters() for exercise in exercises_of(chapter)]

# Give an answer to an exercise's box, by typing or choosing, and return what the page says.
ASK = """([number, answer]) => {
  const form = document.querySelector(`form[data-exercise="${number}"]`);
  const text = form.querySelector("input[type=text]");
  if (text) text.value = answer;
  else form.querySelectorAll("input").forEach((input) => { input.checked = input.value === answer; });
  form.querySelector("button").click();
  return form.querySelector("output").textContent;
}"""


def solution(number, *arguments):
    """What the solution of an exercise returns."""
    return find_exercise(number).solution(*arguments)

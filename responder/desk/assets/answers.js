// Answers by keyboard: j and k go from one to the next, 1 says right, 0 says wrong, u takes the last one back.
"use strict";

const answers = [...document.querySelectorAll(".answer")];

function current() {
  return document.activeElement.closest(".answer");
}

function stepAnswer(by) {
  if (answers.length === 0) return false;
  const at = answers.indexOf(current());
  const to = at < 0 ? (by > 0 ? 0 : answers.length - 1) : Math.min(Math.max(at + by, 0), answers.length - 1);
  answers[to].focus();
  answers[to].scrollIntoView({ block: "nearest" });
}

function press(button) {
  if (!button) return false;
  button.click();
}

// A key that is held down must not judge one answer after another.
function judge(verdict) {
  return (event) => (event.repeat ? undefined : press(current()?.querySelector(`button[value=${verdict}]`)));
}

function openAnswer() {
  const details = current()?.querySelector("details");
  if (!details) return false;
  details.open = !details.open;
}

onKeys({
  j: () => stepAnswer(1),
  k: () => stepAnswer(-1),
  o: openAnswer,
  1: judge("right"),
  0: judge("wrong"),
  u: () => press(document.getElementById("undo-last")),
});

// After a judgement the page comes again at the next answer: the keys go on there.
const next = location.hash.startsWith("#answer-") && document.getElementById(location.hash.slice(1));
if (next) next.focus();

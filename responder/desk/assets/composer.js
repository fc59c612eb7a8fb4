// Writing an answer by keyboard, and pieces of text put in where the cursor stands. Every one of these is a form too.
"use strict";

const answer = document.getElementById("answer");
const text = document.getElementById("text");

function insert(piece) {
  const [from, to] = [text.selectionStart, text.selectionEnd];
  const before = text.value.slice(0, from);
  const gap = before === "" || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  text.setRangeText(gap + piece, from, to, "end");
  text.focus();
  // What a program changes is no input to a browser, and the draft is kept by what is.
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

function openMenu(id) {
  const menu = document.getElementById(id);
  if (!menu) return false;
  menu.open = true;
  menu.querySelector("textarea, input:not([type=hidden])").focus();
}

function press(selector) {
  const button = document.querySelector(selector);
  if (!button) return false;
  button.click();
}

if (answer) {
  // Until somebody puts the cursor elsewhere, a piece goes to the end.
  text.setSelectionRange(text.value.length, text.value.length);
  answer.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert], [data-from]");
    if (!button) return;
    event.preventDefault();
    const from = button.dataset.from && document.getElementById(button.dataset.from).selectedOptions[0];
    const piece = (from || button).dataset;
    // An answer that begins with it gets the words around it as well.
    insert((text.value.trim() === "" && piece.first) || piece.insert);
  });
  answer.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (!document.body.hasAttribute("data-shortcuts")) return;
    event.preventDefault();
    answer.requestSubmit(document.getElementById("send"));
  });
}

onKeys({
  r: () => (text ? text.focus() : false),
  n: () => openMenu("note"),
  a: () => press("#take"),
  e: () => openMenu("close"),
  "?": () => {
    const keys = document.getElementById("keys");
    if (keys) keys.open = !keys.open;
    if (keys) keys.querySelector("summary").focus();
  },
  ...Object.fromEntries([1, 2, 3].map((n) => [n, () => press(`.inserts [name=insert]:nth-of-type(${n})`)])),
});

// Conveniences that every page has. Nothing here is needed: the pages are forms and links.
"use strict";

// Whether a key press is a command and not text, nor part of a word that an input method is composing (keyCode 229 is
// how some browsers report that without isComposing).
function isCommand(event) {
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return false;
  if (!document.body.hasAttribute("data-shortcuts")) return false;
  return !event.target.closest("input, textarea, select, [contenteditable]");
}

// Keys of a page: onKeys({ j: next, "/": search }). With a modifier a key belongs to the browser.
function onKeys(commands) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !isCommand(event)) return;
    const command = commands[event.key];
    if (command && command(event) !== false) event.preventDefault();
  });
}

// A session that ended sends a live part of a page to the login as a whole.
document.addEventListener("htmx:responseError", () => {});

// An answer that was just sent can be taken back for some seconds; after that the courier has it.
const undo = document.getElementById("undo");
if (undo) {
  setTimeout(() => undo.remove(), Number(undo.dataset.seconds) * 1000);
  onKeys({ z: () => (undo.isConnected ? undo.requestSubmit() : false) });
}

// The list by keyboard: j and k go from row to row, Enter follows the link as everywhere, / searches.
"use strict";

function step(by) {
  const links = [...document.querySelectorAll("#queue .row-link")];
  if (links.length === 0) return false;
  const at = links.indexOf(document.activeElement);
  const to = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1);
  links[to].focus();
}

onKeys({
  j: () => step(1),
  k: () => step(-1),
  "/": () => document.getElementById("q").focus(),
});

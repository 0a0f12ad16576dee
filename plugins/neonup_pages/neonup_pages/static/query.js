// The query page: a query that runs can be cancelled, and rows are copied. It works without.
"use strict";

const asking = document.querySelector("form[data-cancel]");
const cancelling = document.getElementById("cancel");

// While its answer is awaited, the page stays: a form of its own would replace what is awaited.
asking?.addEventListener("submit", () => { cancelling.hidden = false; });
cancelling?.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation(); // it may be sent again
  say("Cancelling…");
  try {
    await fetch(cancelling.action, { method: "POST", body: new URLSearchParams(new FormData(cancelling)) });
  } catch {
    say("The studio does not answer");
  }
});
addEventListener("pageshow", (event) => { if (event.persisted) cancelling.hidden = true; });

// <button data-rows="#id" data-as="csv">: the rows of a table as text.
const csv = (text) => text === null ? "" : text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
function value(text, type) {
  if (text === null) return "null";
  const plain = /^(int[248]|float[48]|numeric)$/.test(type) && /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?$/i.test(text);
  if (plain) return text; // as it is: a number of JavaScript's would lose digits
  if (type === "bool") return text === "t" ? "true" : "false";
  if (type === "json" || type === "jsonb") {
    try { JSON.parse(text); return text; } catch { /* it was cut */ }
  }
  return JSON.stringify(text);
}
function written(table, as) {
  const heads = [...table.querySelectorAll("thead th")];
  const names = heads.map((head) => head.firstChild?.nodeName === "#text" ? head.firstChild.data : "");
  const types = heads.map((head) => head.querySelector("small").textContent);
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.querySelector(".null") ? null : cell.textContent));
  if (as === "csv") return [names, ...rows].map((row) => row.map(csv).join(",") + "\r\n").join("");
  const lines = rows.map((row) => `  {${row.map((text, at) => `${JSON.stringify(names[at])}: ${value(text, types[at])}`).join(", ")}}`);
  return lines.length ? `[\n${lines.join(",\n")}\n]\n` : "[]\n";
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-rows]");
  if (button) copyText(button, written(document.querySelector(button.dataset.rows), button.dataset.as));
});

// What pages can do beyond HTML: copy, show secrets, count down, and keys. All of them work without.
"use strict";

document.documentElement.classList.add("js");
const said = document.getElementById("said");
const say = (text) => { if (said) said.textContent = text; };

// The server's clock can be ahead of the browser's: tests set it.
const ahead = Date.parse(document.documentElement.dataset.now) - Date.now() || 0;

// <button data-copy="#id">: the text of an element, or of its data-secret.
async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  if (!source) return;
  await copyText(button, source.dataset.secret ?? source.value ?? source.textContent);
}
async function copyText(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea"); // pages over plain http, other hosts
    field.value = text;
    field.className = "unseen";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  button.textContent = "Copied";
  say("Copied");
  setTimeout(() => { button.textContent = before; }, 1600);
}

// <button data-show="#id">: an element's text, or its data-secret.
function show(button) {
  const element = document.querySelector(button.dataset.show);
  if (!element) return;
  element.dataset.masked ??= element.textContent;
  const shown = button.getAttribute("aria-pressed") === "true";
  element.textContent = shown ? element.dataset.masked : element.dataset.secret;
  button.setAttribute("aria-pressed", String(!shown));
  button.textContent = shown ? "Show" : "Hide";
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-show]");
  if (button?.dataset.copy) copy(button);
  else if (button) show(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// <time data-countdown datetime="...">: what is left; at its end the page is loaded again where the
// element has data-reload.
const counted = [...document.querySelectorAll("time[data-countdown]")];
function tick() {
  for (const time of counted) {
    const seconds = Math.floor((Date.parse(time.dateTime) - Date.now() - ahead) / 1000);
    if (seconds < 0) {
      if ("reload" in time.dataset && !time.dataset.over) location.reload();
      time.dataset.over = "yes";
      time.textContent = "now";
      continue;
    }
    const [d, h, m, s] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60].map(Math.floor);
    const two = (number) => String(number).padStart(2, "0");
    time.textContent = d ? `${d}d ${two(h)}h ${two(m)}m ${two(s)}s` : h ? `${h}h ${two(m)}m ${two(s)}s` : `${m}m ${two(s)}s`;
  }
}
if (counted.length) {
  tick();
  setInterval(tick, 1000);
}

// Ctrl or Cmd with Enter sends the form of a text area; "/" goes to the search; Escape closes menus.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
    event.preventDefault();
    event.target.form?.requestSubmit();
  } else if (event.key === "/" && !event.target.matches("input, textarea, select")) {
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); }
  } else if (event.key === "Escape") {
    const menu = event.target.closest?.("details.menu[open]") ?? document.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  }
});

// A form that works for a while says so, and is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
  form.setAttribute("aria-busy", "true");
  say("Working…");
});
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[aria-busy]").forEach((form) => form.removeAttribute("aria-busy"));
});

// Choosing applies at once where a form says so; its button is for those without scripts.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-auto] select")) event.target.form.requestSubmit();
});

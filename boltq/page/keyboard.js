// The keys of the page. None of them is taken from a field that somebody writes into.

import { html, signal } from "./html.js";
import { clock, theme } from "./kept.js";
import { Dialog } from "./parts.js";
import { isPaused } from "./poll.js";
import { go, to } from "./route.js";
import { screens } from "./screens.js";
import { walked } from "./walk.js";
import { t } from "./words.js";

export const isHelping = signal(false);
const PATIENCE_MS = 1200;
let wentAt = 0;

const KEYS = {
  "/": () => document.querySelector("[data-search]")?.focus(),
  "?": () => { isHelping.value = !isHelping.value; },
  ".": () => { isPaused.value = !isPaused.value; },
  t: () => { theme.value = document.documentElement.matches('[data-theme="dark"]') ? "light" : "dark"; },
  u: () => { clock.value = clock.value === "utc" ? "local" : "utc"; },
  j: () => walked.current?.step(1),
  k: () => walked.current?.step(-1),
  x: () => walked.current?.mark?.(),
  r: () => walked.current?.again?.(),
  Enter: () => walked.current?.open?.(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const field = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "Escape" && field) { field.blur(); return; }
  if (field && !["radio", "checkbox"].includes(field.type)) return;
  if (event.key === "Enter" && event.target.closest?.("a, button, summary, label")) return;
  if (Date.now() - wentAt < PATIENCE_MS) {
    wentAt = 0;
    const screen = screens.find((one) => one.key === event.key);
    if (screen) { event.preventDefault(); go(screen.address ?? to(screen.name)); return; }
  }
  if (event.key === "g") { wentAt = Date.now(); return; }
  const does = KEYS[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});

export function KeyHelp({ onClose }) {
  const rows = [
    ["/", t("search")], ["j k", t("the next row, the one before")], ["Enter", t("open the row")], ["x", t("mark the row")], ["r", t("replay the row's job, or run it now")],
    [".", t("stand still, or go on")], ["t", t("light or dark")], ["u", t("UTC or local time")], ["Esc", t("close, or leave a field")], ["?", t("these keys")],
    ...screens.filter((one) => one.key).map((one) => [`g ${one.key}`, one.title]),
  ];
  return html`<${Dialog} title=${t("Keys")} onClose=${onClose}><div class="body"><dl class="facts keys">
    ${rows.map(([keys, does]) => html`<dt key=${keys}>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${does}</dd>`)}
  </dl></div><//>`;
}

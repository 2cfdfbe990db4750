// Small parts that every screen is put together from.

import { ask, Refused } from "./ask.js";
import { Fragment, html, signal, useEffect, useId, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";
import { clock } from "./kept.js";
import { now } from "./live.js";
import { to } from "./route.js";
import { ago, exactly, lasting, timeOfDay } from "./shown.js";
import { t } from "./words.js";

export const STATES = ["scheduled", "queued", "running", "retrying", "completed", "cancelled", "dead"];
/** What each is called here; in code, addresses and commands it keeps its name. */
export const STATE_WORDS = {
  scheduled: t("scheduled"), queued: t("queued"), running: t("running"), retrying: t("retrying"), completed: t("completed"), cancelled: t("cancelled"), dead: t("dead"),
};

/** What each part of a filter is called here; who writes one, as in type:send, uses its name. */
export const FILTER_WORDS = { state: t("state"), queue: t("queue"), type: t("type"), error: t("error"), worker: t("worker"), text: t("text"), since: t("since"), until: t("until") };

/** A state: its word, with a shape and a colour of its own. */
export function State({ name }) {
  return html`<span class="state ${STATES.includes(name) ? name : ""}" title=${STATE_WORDS[name] === name ? undefined : name}><${Icon} name=${STATES.includes(name) ? name : "queued"} size="12" />${STATE_WORDS[name] ?? name}</span>`;
}

/** A time as the person wants times; the exact one, of both clocks, for who points at it. */
export function Time({ at, as = clock.value }) {
  if (!at) return html`<span class="quiet">–</span>`;
  const isUtc = as === "utc";
  const text = as === "relative" ? ago(at, now.value) : timeOfDay(at, isUtc, now.peek());
  return html`<time datetime=${at} title=${`${exactly(at, true)} UTC\n${t("{time} here", { time: exactly(at, false) })}`}>${text}</time>`;
}

/** How long since or until a time, each second anew. */
export function Since({ at }) {
  const seconds = (now.value - new Date(at).getTime()) / 1000;
  return html`<span class="num">${lasting(Math.max(0, Math.floor(seconds)))}</span>`;
}
export function Until({ at, past = t("now") }) {
  const seconds = (new Date(at).getTime() - now.value) / 1000;
  return html`<span class="num">${seconds <= 0 ? past : lasting(Math.max(1, Math.floor(seconds)))}</span>`;
}

export const JobLink = ({ id, children }) => html`<a class="mono link" href=${to("jobs", id)}>${children ?? id}</a>`;
export const QueueLink = ({ name }) => html`<a class="link" href=${to("queues", name)}>${name}</a>`;

/** Put a text where the person can paste it from; also on a page that came without TLS. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "away" });
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

export function Copy({ text, what = "", label = "" }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async (event) => {
    event.preventDefault();
    event.stopPropagation();
    await copyText(typeof text === "function" ? text() : text);
    setDone(true);
  };
  return html`<button type="button" class=${label ? "button small" : "bare"} onClick=${copy} aria-label=${label ? undefined : t("Copy {what}", { what })} title=${t("Copy {what}", { what })}>
    <${Icon} name=${done ? "check" : "copy"} size="14" />${label && (done ? t("Copied") : label)}
  </button>`;
}

export function Button({ icon, children, kind = "", onClick, disabled = false, title, type = "button", hint }) {
  return html`<button type=${type} class="button ${kind}" onClick=${onClick} disabled=${disabled} title=${title}>
    ${icon && html`<${Icon} name=${icon} size="14" />`}${children}${hint && html`<kbd>${hint}</kbd>`}
  </button>`;
}

/** A part of a screen with a head. */
export function Card({ title, aside, children, kind = "" }) {
  return html`<section class="card ${kind}">
    ${title && html`<header><h2>${title}</h2>${aside && html`<div class="aside">${aside}</div>`}</header>`}
    ${children}
  </section>`;
}

export function Head({ title, children, under }) {
  return html`<header class="head">
    <div class="titles"><h1>${title}</h1>${under && html`<p class="under">${under}</p>`}</div>
    <div class="actions">${children}</div>
  </header>`;
}

export function Empty({ icon = "check", title, children }) {
  return html`<div class="empty"><${Icon} name=${icon} size="22" /><p class="strong">${title}</p>${children}</div>`;
}

/** What went wrong, in a sentence. */
export function Problem({ error }) {
  if (!error) return null;
  return html`<p class="problem" role="alert"><${Icon} name="warn" size="15" /><span>${sentence(error)}</span></p>`;
}

export function sentence(error) {
  if (error instanceof Refused && error.status === 403) {
    return error.told.scope ? t("This key may not do that: it needs the scope {scope}.", { scope: error.told.scope }) : `${capital(error.message)}.`;
  }
  if (error instanceof Refused && error.status === 401) return t("The API asks for a key.");
  return /[.!?]$/.test(error.message) ? capital(error.message) : `${capital(error.message)}.`;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// -- messages that pass

const messages = signal([]);
let lastMessage = 0;

/** Say something for a while: what was done, or in `isBad` what was not. */
export function say(text, { isBad = false, link = "", linkText = "" } = {}) {
  const id = (lastMessage += 1);
  messages.value = [...messages.value.slice(-3), { id, text, isBad, link, linkText }];
  setTimeout(() => { messages.value = messages.peek().filter((one) => one.id !== id); }, isBad ? 9000 : 4500);
}

export function Messages() {
  return html`<div class="messages" role="status" aria-live="polite">
    ${messages.value.map((one) => html`<p key=${one.id} class="message ${one.isBad ? "bad" : ""}">
      <${Icon} name=${one.isBad ? "warn" : "check"} size="15" /><span>${one.text}</span>
      ${one.link && html`<a href=${one.link}>${one.linkText}</a>`}
    </p>`)}
  </div>`;
}

/** Do something and say how it went; answers what came, or null. */
export async function attempt(work, done = "") {
  try {
    const came = await work();
    if (done) say(typeof done === "function" ? done(came) : done);
    return came ?? true;
  } catch (error) {
    say(sentence(error), { isBad: true });
    return null;
  }
}

/** The same of one request. */
export const act = (method, path, body, done) => attempt(() => ask(method, path, body), done);

// -- dialogs

/** What lies over the page until it is answered; Esc and the veil close it. */
export function Dialog({ title, onClose, children, kind = "" }) {
  const element = useRef(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    (element.current.querySelector("[data-first]") ?? element.current.querySelector("h2")).focus();
    return () => before?.focus?.();
  }, []);
  const onVeil = (event) => { if (event.target === element.current) onClose(); };
  return html`<dialog ref=${element} class=${kind} aria-labelledby=${id} onClose=${onClose} onCancel=${onClose} onMouseDown=${onVeil}>
    <div class="inside">
      <header><h2 id=${id} tabindex="-1">${title}</h2><button type="button" class="bare" aria-label=${t("Close")} onClick=${onClose}><${Icon} name="close" /></button></header>
      ${children}
    </div>
  </dialog>`;
}

/** One of several, side by side. */
export function Choice({ label, options, value, onChange, kind = "" }) {
  const name = useId();
  return html`<fieldset class="choice ${kind}"><legend class="away">${label}</legend>
    ${options.map(([each, text, count]) => html`<label key=${each} class=${each === value ? "chosen" : ""}>
      <input type="radio" name=${name} checked=${each === value} onChange=${() => onChange(each)} /><span>${text}</span>
      ${count !== undefined && html`<span class="count">${count}</span>`}
    </label>`)}
  </fieldset>`;
}

/** A field with its label above, and what is wrong or worth knowing below. */
export function Field({ label, children, note, error, wide = false }) {
  return html`<label class="field ${wide ? "wide" : ""}"><span class="label">${label}</span>${children}
    ${error ? html`<span class="wrong">${error}</span>` : note && html`<span class="note">${note}</span>`}</label>`;
}

/** Letters of a pattern, for who cannot see a bar. */
export function Bar({ part, of, kind = "", label }) {
  const share = of > 0 ? Math.min(1, part / of) : 0;
  return html`<span class="bar ${kind}" role="img" aria-label=${label}><span style=${{ width: `${share * 100}%` }}></span></span>`;
}

/** A line without axes: what a count was in the last minutes. */
export function Spark({ values, kind = "", width = 120, height = 28 }) {
  if (values.length < 2) return html`<svg class="spark" width=${width} height=${height} aria-hidden="true"></svg>`;
  const most = Math.max(...values, 1);
  const step = width / (values.length - 1);
  const points = values.map((value, i) => `${(i * step).toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`);
  return html`<svg class="spark ${kind}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true">
    <polygon points=${`0,${height} ${points.join(" ")} ${width},${height}`} /><polyline points=${points.join(" ")} />
  </svg>`;
}

export { Fragment };

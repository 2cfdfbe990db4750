// The frame around the screens: who is asked, where one is, and the keys.

import { isLocked } from "./ask.js";
import { effect, html, render, signal, useEffect, useRef, useState } from "./html.js";
import { Icon, Mark } from "./icons.js";
import { isHelping, KeyHelp } from "./keyboard.js";
import { clock, secret, theme } from "./kept.js";
import { environment, grants, learn, now, overview, snapshot, version } from "./live.js";
import { Button, Dialog, Field, Messages, Problem, sentence } from "./parts.js";
import { isPaused } from "./poll.js";
import { place, route, to } from "./route.js";
import { groups, screenOf } from "./screens.js";
import { ago, short } from "./shown.js";
import { t } from "./words.js";

const isMenuOpen = signal(false);
const STALE_SECONDS = 15;

function Nav() {
  return html`<nav aria-label=${t("Screens")}>
    ${groups.map((screens) => html`<ul key=${screens[0].name}>
      ${screens.map((one) => {
        const isHere = one.name === route.value.name;
        const count = one.count?.(overview.value);
        return html`<li key=${one.name}><a href=${one.address ?? to(one.name)} aria-current=${isHere ? "page" : undefined} title=${one.key ? `g ${one.key}` : undefined}>
          <${Icon} name=${one.icon} /><span>${one.title}</span>
          ${count ? html`<span class="count ${one.isBad ? "bad" : ""}">${short(count)}</span>` : null}
        </a></li>`;
      })}
    </ul>`)}
  </nav>`;
}

function Pulse() {
  const heard = snapshot.heard.value;
  const silent = heard ? (Date.now() - heard) / 1000 : 0;
  now.value;
  if (isPaused.value) return html`<span class="pulse still">${t("stands still")}</span>`;
  if (snapshot.problem.value && (!heard || silent > 3)) return html`<span class="pulse lost">${heard ? t("heard of it {when}", { when: ago(heard, Date.now()) }) : t("no answer")}</span>`;
  if (silent > STALE_SECONDS) return html`<span class="pulse lost">${t("{n} s old", { n: Math.floor(silent) })}</span>`;
  return html`<span class="pulse">${t("live")}</span>`;
}

const CLOCKS = { relative: t("{time} ago", { time: "12 s" }), local: t("local time"), utc: "UTC" };
const next = (all, one) => all[(all.indexOf(one) + 1) % all.length];

export function nextTheme() {
  const isDark = theme.value === "dark" || (theme.value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  theme.value = isDark ? "light" : "dark";
}

const KINDS = [[/test|stag|qa|pre/i, "warn"], [/prod|live/i, "bad"], [/dev|local|sandbox/i, "good"]];

/** Where one is, so that nobody takes one for the other. */
function Place() {
  const name = environment.value;
  if (!name) return null;
  const [, kind] = KINDS.find(([words]) => words.test(name)) ?? [null, "other"];
  return html`<span class="place ${kind}" title="BOLTQ_ENVIRONMENT"><span class="away">${t("environment")} </span>${name}</span>`;
}

function Foot() {
  const server = overview.value?.server;
  const isReader = grants.value && !grants.value.includes("admin");
  return html`<div class="foot">
    ${isReader && html`<span class="tag warn">${grants.value.includes("enqueue") ? t("may enqueue") : t("read only")}</span>`}
    <${Pulse} />
    <span class="break">${server ? `${server.name ?? t("server")} ${server.version ?? ""}` : " "}${version.value ? ` · BoltQ ${version.value}` : ""}</span>
    <div class="tools">
      <button type="button" class="bare" aria-label=${isPaused.value ? t("Go on looking") : t("Stand still")} aria-pressed=${isPaused.value} title=${`${t("Stand still")}  .`} onClick=${() => { isPaused.value = !isPaused.value; }}><${Icon} name=${isPaused.value ? "resume" : "pause"} /></button>
      <button type="button" class="bare" aria-label=${t("Light or dark")} title=${`${t("Light or dark")}  t`} onClick=${nextTheme}><${Icon} name="moon" /></button>
      <button type="button" class="bare" aria-label=${t("Times: {which}", { which: CLOCKS[clock.value] })} title=${`${t("Times: {which}", { which: CLOCKS[clock.value] })}  u`} onClick=${() => { clock.value = next(Object.keys(CLOCKS), clock.value); }}><${Icon} name="clock" /></button>
      <button type="button" class="bare" aria-label=${t("Keys")} title=${`${t("Keys")}  ?`} onClick=${() => { isHelping.value = true; }}><${Icon} name="keyboard" /></button>
    </div>
  </div>`;
}

/** Asks for the key, over all that is behind. */
function KeyBox() {
  const [written, write] = useState(secret.value);
  const enter = (event) => {
    event.preventDefault();
    secret.value = written.trim();
    isLocked.value = false;
    learn();
    snapshot.look();
  };
  return html`<${Dialog} title=${t("This BoltQ asks for a key")} onClose=${() => { isLocked.value = false; }}>
    <form onSubmit=${enter}>
      <div class="body">
        ${secret.value && html`<${Problem} error=${new Error(t("the key that you gave is not known here"))} />`}
        <${Field} label=${t("Secret")} note=${t("One of BOLTQ_API_KEYS, the part after the last colon. Kept until this tab is closed.")}>
          <input type="password" value=${written} onInput=${(event) => write(event.target.value)} autocomplete="off" spellcheck=${false} data-first />
        <//>
      </div>
      <div class="foot"><${Button} type="submit" kind="first" icon="key">${t("Use it")}<//></div>
    </form>
  <//>`;
}

function Screen() {
  const { name, id } = route.value;
  const screen = screenOf(name);
  if (!screen) return html`<div class="empty"><h1>${t("There is no such screen.")}</h1><p><a href=${to("")}>${t("To the overview")}</a></p></div>`;
  return html`<${screen.show} key=${id ? place.value : name} id=${id} />`;
}

function Frame() {
  const main = useRef(null);
  const error = snapshot.problem.value;
  useEffect(() => {
    isMenuOpen.value = false;
    if (main.current.contains(document.activeElement) || document.activeElement === document.body) return;
    main.current.focus({ preventScroll: true });
  }, [place.value]);
  useEffect(() => { window.scrollTo(0, 0); }, [place.value]);
  return html`<div class="frame">
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); main.current.focus(); }}>${t("Skip to the content")}</a>
    <header class="top">
      <a class="brand" href=${to("")}><${Mark} size="24" />BoltQ</a><${Place} /><${Pulse} />
      <button type="button" class="bare" aria-label=${t("Menu")} aria-expanded=${isMenuOpen.value} onClick=${() => { isMenuOpen.value = !isMenuOpen.value; }}><${Icon} name=${isMenuOpen.value ? "close" : "menu"} size="20" /></button>
    </header>
    <aside class="side ${isMenuOpen.value ? "open" : ""}" aria-label="BoltQ">
      <a class="brand" href=${to("")}><${Mark} />BoltQ</a><${Place} />
      <${Nav} /><${Foot} />
    </aside>
    <main class="main" id="main" tabindex="-1" ref=${main}>
      ${error && !isLocked.value && html`<div class="notices"><p class="problem" role="alert"><${Icon} name="warn" /><span>${sentence(error)} ${t("What you see is as it was; it goes on by itself.")}</span></p></div>`}
      <${Screen} />
    </main>
    ${isLocked.value && html`<${KeyBox} />`}
    ${isHelping.value && html`<${KeyHelp} onClose=${() => { isHelping.value = false; }} />`}
    <${Messages} />
  </div>`;
}

effect(() => {
  const { name, id } = route.value;
  const where = environment.value ? `[${environment.value}] ` : "";
  document.title = where + [id, screenOf(name)?.title, "BoltQ"].filter(Boolean).join(" · ");
});
learn();
snapshot.start();
render(html`<${Frame} />`, document.getElementById("page"));

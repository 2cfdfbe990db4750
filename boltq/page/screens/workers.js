// Workers: who is there, what each has in hand, and who was not heard of any more.

import { html, useState } from "../html.js";
import { person } from "../kept.js";
import { may, now, overview, snapshot } from "../live.js";
import { act, Button, Card, Dialog, Empty, Head, QueueLink, Since, Time } from "../parts.js";
import { usePoll } from "../poll.js";
import { to } from "../route.js";
import { many, number } from "../shown.js";
import { Snippets, workerSnippets } from "../snippets.js";
import { t } from "../words.js";

const MOST_SLOTS = 48;
const MOST_EVENTS = 30;
const BECAME = { started: t("started"), quiet: t("quiet"), resumed: t("resumed"), stopping: t("stopping"), stopped: t("stopped"), recycled: t("recycled"), lost: t("lost") };

/** A thread is a small mark, filled while it has a job. */
export function Slots({ worker }) {
  const { threads, in_hand: busy } = worker;
  if (!threads) return html`<span class="num">${busy ? t("{n} in hand", { n: number(busy) }) : html`<span class="quiet">${t("none in hand")}</span>`}</span>`;
  const text = many(threads, "{busy} of {n} thread busy", "{busy} of {n} threads busy", { busy });
  if (threads > MOST_SLOTS) return html`<span class="num">${text}</span>`;
  return html`<span class="slots" role="img" aria-label=${text} title=${text}>${Array.from({ length: threads }, (_, i) => html`<i key=${i} class=${i < busy ? "on" : ""}></i>`)}</span>`;
}

const SAID = { quiet: t("It claims nothing more once it hears of it, within 10 s."), stop: t("It finishes what it runs and ends; it hears of it within 10 s."), resume: t("It goes on.") };

function Orders({ one, ask }) {
  // Who claims over HTTP has no process of ours that would hear of it.
  if (!one.alive || one.via || !may("admin")) return null;
  const isQuiet = one.status === "quiet" || one.order?.word === "quiet";
  return html`<span class="row right">
    ${isQuiet ? html`<${Button} kind="small" icon="resume" onClick=${() => ask(one, "resume")}>${t("Resume")}<//>` : html`<${Button} kind="small" icon="pause" onClick=${() => ask(one, "quiet")} title=${t("Claim nothing more, and stay")}>${t("Quiet")}<//>`}
    <${Button} kind="small danger" icon="stop" onClick=${() => ask(one, "stop")} title=${t("Finish what runs, and end")}>${t("Stop")}<//></span>`;
}

function Status({ one }) {
  if (!one.alive) return html`<span class="tag bad">${t("gone")}</span>`;
  if (one.order && one.status === "working") return html`<span class="tag warn">${one.order.word === "quiet" ? t("asked to be quiet") : t("asked to stop")}</span>`;
  return one.status === "working" ? null : html`<span class="tag warn">${BECAME[one.status] ?? one.status}</span>`;
}

function Worker({ one, ask }) {
  return html`<tr class=${one.alive ? "" : "gone"}>
    <td class="c-worker"><span class="pulse ${one.alive ? "" : "lost"}"><b class="mono">${one.id}</b></span> <${Status} one=${one} /><div class="small quiet">${one.via ? t("over HTTP, from {host}", { host: one.host }) : t("{host}, process {pid}, {version}", { host: one.host, pid: one.pid, version: one.version })}</div></td>
    <td class="c-queues"><span class="row">${Object.entries(one.queues).slice(0, 8).map(([name, weight]) => html`<span key=${name}><${QueueLink} name=${name} />${weight > 1 && html`<span class="quiet"> ×${weight}</span>`}</span>`)}${Object.keys(one.queues).length > 8 && html`<span class="quiet">${many(Object.keys(one.queues).length - 8, "and {n} other", "and {n} others")}</span>`}</span></td>
    <td class="c-slots"><${Slots} worker=${one} />${one.stuck > 0 && html`<span class="tag bad">${many(one.stuck, "{n} handler stuck", "{n} handlers stuck")}</span>`}</td>
    <td class="c-runs">${one.jobs.length ? html`<ul class="small">${one.jobs.slice(0, 3).map((job) => html`<li key=${job.id}><a class="link" href=${to("jobs", job.id)}>${job.type}</a> <span class="quiet">${t("for {time}", { time: html`<${Since} at=${job.since} />` })}</span></li>`)}${one.jobs.length > 3 && html`<li><a class="link quiet" href=${to("jobs", "", { state: "running", worker: one.id })}>${many(one.jobs.length - 3, "and {n} other", "and {n} others")}</a></li>`}</ul>` : html`<span class="quiet">${t("nothing")}</span>`}</td>
    <td class="num c-worked ${one.via ? "quiet" : ""}">${one.via ? "–" : number(one.worked)}</td>
    <td class="num c-started quiet"><${Time} at=${one.started_at} /></td>
    <td class="num c-seen ${one.alive ? "" : "bad"}"><${Time} at=${one.seen_at} /></td>
    <td class="c-does"><${Orders} one=${one} ask=${ask} /></td>
  </tr>`;
}

const QUESTIONS = { quiet: t("Let this worker be quiet?"), stop: t("Stop this worker?"), resume: t("Let this worker go on?") };

function Sure({ one, word, onClose }) {
  const does = async () => {
    onClose();
    await act("POST", `/api/workers/${encodeURIComponent(one.id)}/${word}`, { by: person.value }, SAID[word]);
    snapshot.look();
  };
  return html`<${Dialog} title=${QUESTIONS[word]} onClose=${onClose}>
    <div class="body"><p class="mono break">${one.id}</p><p>${SAID[word]}${word === "stop" ? ` ${t("If something starts workers again when they end, it does.")}` : ""}</p><${Snippets} of=${workerSnippets(one.id, word)} /></div>
    <div class="foot"><${Button} onClick=${onClose}>${t("Leave it")}<//><${Button} kind=${word === "stop" ? "first danger" : "first"} onClick=${does}>${word === "quiet" ? t("Be quiet") : word === "stop" ? t("Stop") : t("Resume")}<//></div>
  <//>`;
}

export function Workers() {
  const seen = overview.value;
  const [asking, turn] = useState(null);
  const setAsking = (one, word) => turn({ one, word });
  const history = usePoll("/api/workers", { every: 5 }).value.value?.history?.slice(0, MOST_EVENTS) ?? [];
  now.value;
  const all = seen ? [...seen.workers].sort((a, b) => b.alive - a.alive || (a.id < b.id ? -1 : 1)) : [];
  const alive = all.filter((one) => one.alive);
  const threads = alive.reduce((sum, one) => sum + one.threads, 0);
  const busy = alive.reduce((sum, one) => sum + (one.via ? 0 : one.in_hand), 0);
  return html`<${Head} title=${t("Workers")} under=${`${many(alive.length, "{n} worker", "{n} workers")}, ${many(threads, "{busy} of {n} thread busy", "{busy} of {n} threads busy", { busy: number(busy) })}. ${t("Who was not heard of for 30 seconds is taken for gone, and its jobs go to others.")}`}><//>
    <div class="stack"><${Card}>
      ${all.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Workers")}><table class="workers">
        <thead><tr><th scope="col">${t("worker")}</th><th scope="col">${t("queues")}</th><th scope="col">${t("threads")}</th><th scope="col">${t("runs")}</th><th scope="col" class="num">${t("worked")}</th><th scope="col" class="num">${t("started")}</th><th scope="col" class="num">${t("heard of")}</th><th scope="col"><span class="away">${t("Actions")}</span></th></tr></thead>
        <tbody>${all.map((one) => html`<${Worker} key=${one.id} one=${one} ask=${setAsking} />`)}</tbody></table></div>`
      : html`<${Empty} icon="workers" title=${seen ? t("No worker was heard of in the last ten minutes") : t("Looking")}>${seen && html`<p>${t("Start one: {command}", { command: html`<code>boltq-worker</code>` })}</p>`}<//>`}
    <//>
    <${Card} title=${t("What became of workers")} aside=${t("the last first")}>
      ${history.length ? html`<table><tbody>${history.map((one) => html`<tr key=${`${one.worker} ${one.what} ${one.at}`}><td><span class="tag ${one.what === "lost" ? "bad" : ""}">${BECAME[one.what] ?? one.what}</span></td><td class="fill mono"><span class="clip">${one.worker}</span></td><td class="quiet"><span class="clip short">${one.by && t("by {name}", { name: one.by })}</span></td><td class="num"><${Time} at=${one.at} /></td></tr>`)}</tbody></table>`
      : html`<${Empty} icon="workers" title=${t("Nothing is known of any")} />`}
    <//></div>
    ${asking && html`<${Sure} one=${asking.one} word=${asking.word} onClose=${() => turn(null)} />`}`;
}

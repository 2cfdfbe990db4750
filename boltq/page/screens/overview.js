// Overview: who waits longest, and whether all is well.

import { withQuery } from "../ask.js";
import { Chart } from "../chart.js";
import { html, useState } from "../html.js";
import { Icon } from "../icons.js";
import { overview, past, rates, trail, workersOf } from "../live.js";
import { Button, Card, Empty, Head, QueueLink, Since, Spark, STATE_WORDS, Time } from "../parts.js";
import { usePoll } from "../poll.js";
import { to } from "../route.js";
import { bytes, lasting, many, number, rate, short } from "../shown.js";
import { t } from "../words.js";

const SLOW_SECONDS = 30;
const LATE_SECONDS = 120;
const FULL = 0.85;
const ALONE_SECONDS = 5;

/** Whether jobs wait that nobody takes: no worker tells of the queue, and none of them is done. */
const isAlone = (one) => one.queued > 0 && !workersOf(one.queue).length && one.oldest_queued_seconds > ALONE_SECONDS && !(rates(one.queue)?.out > 0);

const tone = (seconds) => (seconds >= LATE_SECONDS ? "bad" : seconds >= SLOW_SECONDS ? "warn" : "good");

/** What is told of a queue that is paused, given the link to it. */
const pausedText = (one, waits) => (queue) => {
  const because = one.pause_reason ? t(": {why}", { why: one.pause_reason }) : "";
  const by = one.paused_by ? `, ${t("by {name}", { name: one.paused_by })}` : "";
  return many(waits, "Queue {queue} is paused{because}{by}. {n} job waits.", "Queue {queue} is paused{because}{by}. {n} jobs wait.", { queue, because, by });
};

/** What somebody should do something about, the worst first; of a queue the text is made with a link to it. */
export function troubles(seen) {
  const found = [];
  const alone = [];
  for (const one of seen.queues) {
    const waits = one.queued + one.retrying + one.scheduled;
    if (one.paused && waits) found.push({ key: `p${one.queue}`, is: "warn", queue: one.queue, text: pausedText(one, waits) });
    else if (isAlone(one)) alone.push(one);
  }
  if (alone.length) {
    const queued = many(alone.reduce((all, one) => all + one.queued, 0), "{n} queued job", "{n} queued jobs");
    const [{ queue }, ...others] = alone;
    found.unshift({ key: "alone", is: "bad", queue, text: others.length ? (link) => many(others.length, "Queue {queue} and {n} other have {queued} and no worker that we see.", "Queue {queue} and {n} others have {queued} and no worker that we see.", { queue: link, queued }) : (link) => t("Queue {queue} has {queued} and no worker that we see.", { queue: link, queued }) });
  }
  const { used_memory_bytes: used, max_memory_bytes: most } = seen.server;
  if (most && used > FULL * most) found.push({ key: "m", is: "bad", text: t("The server has used {used} of {most}. When it is full, new jobs are refused.", { used: bytes(used), most: bytes(most) }) });
  for (const worker of seen.workers) {
    if (worker.stuck) found.push({ key: `s${worker.id}`, is: "warn", text: many(worker.stuck, "Worker {worker} has {n} handler that never returned.", "Worker {worker} has {n} handlers that never returned.", { worker: worker.id }) });
  }
  return found;
}

export function Troubles({ seen }) {
  const found = troubles(seen);
  if (!found.length) return null;
  return html`<div class="notices">${found.slice(0, 6).map((one) => html`<p key=${one.key} class=${one.is === "bad" ? "problem" : "notice warn"}>
    <${Icon} name="warn" /><span>${one.queue ? one.text(html`<${QueueLink} name=${one.queue} />`) : one.text}</span></p>`)}
  </div>`;
}

function Tile({ name, value, values, href, kind, note }) {
  return html`<a class="tile ${kind}" href=${href}>
    <span class="label">${name}</span><span class="value num">${value}</span>
    ${note ? html`<span class="note">${note}</span>` : html`<${Spark} values=${values ?? []} />`}
  </a>`;
}

function Tiles({ seen }) {
  const worst = seen.queues.reduce((most, one) => (one.oldest_queued_seconds > (most?.oldest_queued_seconds ?? 0) ? one : most), null);
  const wait = worst?.oldest_queued_seconds ?? 0;
  const lately = rates();
  return html`<div class="tiles">
    <a class="tile wait ${tone(wait)}" href=${worst ? to("queues", worst.queue) : to("queues")}>
      <span class="label">${t("longest wait")}</span>
      <span class="value num">${wait ? lasting(wait) : t("none")}</span>
      <span class="note clip">${worst ? many(worst.queued, "in {queue}, {n} job queued", "in {queue}, {n} jobs queued", { queue: html`<b>${worst.queue}</b>` }) : t("nothing waits for a worker")}</span>
    </a>
    ${["queued", "running", "retrying", "scheduled", "dead"].map((name) => html`<${Tile} key=${name} name=${STATE_WORDS[name]} kind=${name} value=${short(seen.total[name])} values=${trail(name)} href=${name === "dead" ? to("dead") : to("jobs", "", { state: name })} />`)}
    <${Tile} name=${t("done a minute")} kind="completed" value=${lately ? rate(lately.out * 60) : "–"} values=${steps("completed_total")} href=${to("jobs", "", { state: "completed" })} />
  </div>`;
}

/** How much a total grew from one look to the next, a second. */
function steps(name) {
  const kept = past.value.slice(-61);
  return kept.slice(1).map((one, i) => Math.max(0, one.total[name] - kept[i].total[name]) / Math.max(0.5, (one.at - kept[i].at) / 1000));
}

function QueueRow({ one }) {
  const lately = rates(one.queue);
  const workers = workersOf(one.queue);
  const leaves = lately ? lately.out - lately.in : 0;
  const wait = one.oldest_queued_seconds;
  const cell = (name) => html`<td class="num c-${name} ${one[name] ? "" : "zero"}">${short(one[name])}</td>`;
  return html`<tr>
    <td><span class="row"><${QueueLink} name=${one.queue} />${one.paused && html`<span class="tag warn"><${Icon} name="pause" size="11" />${t("paused")}</span>`}</span></td>
    <td class="num ${wait ? tone(wait) : "zero"}">${wait ? lasting(wait) : "0 s"}</td>
    ${cell("queued")}${cell("running")}${cell("retrying")}${cell("scheduled")}
    <td class="num ${one.dead ? "bad" : "zero"}">${one.dead ? html`<a class="link" href=${to("dead", "", { queue: one.queue })}>${short(one.dead)}</a>` : 0}</td>
    <td class="num c-flow">${lately ? `${rate(lately.in)} / ${rate(lately.out)}` : "–"}</td>
    <td class="num c-flow">${one.queued && leaves > 0.05 ? lasting(one.queued / leaves) : one.queued ? t("grows") : "–"}</td>
    <td class="num ${workers.length ? "" : one.queued ? "bad" : "zero"}">${workers.length}</td>
  </tr>`;
}

/** The first of some queues, and the rest of them if asked for. */
export function QueueTable({ queues, most }) {
  const [isAll, showAll] = useState(false);
  const shown = isAll ? queues : queues.slice(0, most);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Queues")}><table class="queues">
    <thead><tr><th scope="col">${t("queue")}</th><th scope="col" class="num">${t("wait")}</th>${["queued", "running", "retrying", "scheduled", "dead"].map((name) => html`<th key=${name} scope="col" class="num c-${name}">${STATE_WORDS[name]}</th>`)}<th scope="col" class="num c-flow">${t("in / out a second")}</th><th scope="col" class="num c-flow">${t("empty in")}</th><th scope="col" class="num">${t("workers")}</th></tr></thead>
    <tbody>${shown.map((one) => html`<${QueueRow} key=${one.queue} one=${one} />`)}</tbody>
  </table></div>
  <div class="under-table"><span>${shown.length < queues.length ? t("{n} of {all} queues", { n: number(shown.length), all: number(queues.length) }) : many(shown.length, "{n} queue", "{n} queues")}</span>${shown.length < queues.length && html`<${Button} kind="small" onClick=${() => showAll(true)}>${t("Show all")}<//>`}</div>`;
}

function Running({ seen }) {
  const jobs = seen.workers.filter((one) => one.alive).flatMap((one) => one.jobs.map((job) => ({ ...job, worker: one.id })));
  jobs.sort((a, b) => (a.since < b.since ? -1 : 1));
  return html`<${Card} title=${t("Running longest")} aside=${html`<a class="link" href=${to("jobs", "", { state: "running" })}>${t("all that run")}</a>`}>
    ${jobs.length ? html`<table><tbody>${jobs.slice(0, 6).map((job) => html`<tr key=${job.id}>
      <td><a class="link clip short" href=${to("jobs", job.id)}>${job.type}</a></td><td class="quiet fill"><span class="clip mono">${job.worker}</span></td><td class="num"><${Since} at=${job.since} /></td></tr>`)}</tbody></table>`
    : html`<${Empty} icon="running" title=${t("Nothing runs for long")}>${t("Workers tell of themselves every few seconds.")}<//>`}
  <//>`;
}

function Dying() {
  const poll = usePoll(withQuery("/api/dead/groups", { limit: 6, most: 500 }), { every: 30 });
  const found = poll.value.value;
  return html`<${Card} title=${t("What dies")} aside=${html`<a class="link" href=${to("dead")}>${t("all that are dead")}</a>`}>
    ${found?.groups.length ? html`<table class="dying"><tbody>${found.groups.map((one) => html`<tr key=${`${one.type} ${one.error} ${one.message}`}>
      <td class="num bad">${short(one.jobs)}</td><td><a class="link clip short" title=${one.type} href=${to("dead", "", { type: one.type, error: one.error })}>${one.type}</a></td>
      <td class="fill"><span class="clip" title=${one.message}>${one.error}${one.message ? `: ${one.message}` : ""}</span></td><td class="num quiet"><${Time} at=${one.newest_at} /></td></tr>`)}</tbody></table>`
    : html`<${Empty} title=${found ? t("Nothing is dead") : t("Looking")} />`}
  <//>`;
}

function Nothing() {
  return html`<section class="hero card">
    <h2>${t("Nothing has happened here yet.")}</h2>
    <p>${t("In the playground you see a job fail, wait, die and come back, on this server, in half a minute.")}</p>
    <div class="row"><a class="button first" href=${to("playground")}><${Icon} name="playground" size="14" />${t("Open the playground")}</a><a class="button" href="api/docs">${t("Read the API")}</a></div>
  </section>`;
}

export function Overview() {
  const seen = overview.value;
  if (!seen) return html`<${Head} title=${t("Overview")} /><div class="card"><${Empty} icon="clock" title=${t("Looking at the server")} /></div>`;
  const alive = seen.workers.filter((one) => one.alive);
  const threads = alive.reduce((all, one) => all + one.threads, 0);
  const under = t("{queues}, {workers} with {threads}, {bytes} in use", {
    queues: many(seen.queues.length, "{n} queue", "{n} queues"), workers: many(alive.length, "{n} worker", "{n} workers"),
    threads: many(threads, "{n} thread", "{n} threads"), bytes: bytes(seen.server.used_memory_bytes ?? 0),
  });
  const inHand = alive.reduce((all, one) => all + one.in_hand, 0);
  return html`<${Head} title=${t("Overview")} under=${under}>
      <a class="button" href=${to("playground")}><${Icon} name="plus" size="14" />${t("Enqueue a job")}</a>
    <//>
    <div class="stack">
      <${Troubles} seen=${seen} />
      ${seen.queues.length ? html`
        <${Tiles} seen=${seen} />
        <${Chart} />
        <${Card} title=${t("Queues")} aside=${t("longest wait first")}><${QueueTable} queues=${seen.queues} most=${20} /><//>
        <div class="columns"><${Running} seen=${seen} /><${Dying} /></div>` : html`<${Nothing} />`}
    </div>`;
}

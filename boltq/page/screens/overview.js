// Overview: who waits longest, and whether all is well.

import { withQuery } from "../ask.js";
import { Chart } from "../chart.js";
import { html, useState } from "../html.js";
import { Icon } from "../icons.js";
import { overview, past, rates, trail, workersOf } from "../live.js";
import { Button, Card, Empty, Head, QueueLink, Since, Spark, Time } from "../parts.js";
import { usePoll } from "../poll.js";
import { to } from "../route.js";
import { bytes, lasting, many, number, rate, short } from "../shown.js";

const SLOW_SECONDS = 30;
const LATE_SECONDS = 120;
const FULL = 0.85;
const ALONE_SECONDS = 5;

/** Whether jobs wait that nobody takes: no worker tells of the queue, and none of them is done. */
const isAlone = (one) => one.queued > 0 && !workersOf(one.queue).length && one.oldest_queued_seconds > ALONE_SECONDS && !(rates(one.queue)?.out > 0);

const tone = (seconds) => (seconds >= LATE_SECONDS ? "bad" : seconds >= SLOW_SECONDS ? "warn" : "good");

/** What somebody should do something about, the worst first. */
export function troubles(seen) {
  const found = [];
  const alone = [];
  for (const one of seen.queues) {
    const waits = one.queued + one.retrying + one.scheduled;
    if (one.paused && waits) found.push({ key: `p${one.queue}`, is: "warn", queue: one.queue, text: `is paused${one.pause_reason ? `: ${one.pause_reason}` : ""}${one.paused_by ? `, by ${one.paused_by}` : ""}. ${many(waits, "job")} ${waits === 1 ? "waits" : "wait"}.` });
    else if (isAlone(one)) alone.push(one);
  }
  if (alone.length) {
    const queued = many(alone.reduce((all, one) => all + one.queued, 0), "queued job");
    found.unshift({ key: "alone", is: "bad", queue: alone[0].queue, text: `${alone.length > 1 ? `and ${many(alone.length - 1, "other")} have` : "has"} ${queued} and no worker that we see.` });
  }
  const { used_memory_bytes: used, max_memory_bytes: most } = seen.server;
  if (most && used > FULL * most) found.push({ key: "m", is: "bad", text: `The server has used ${bytes(used)} of ${bytes(most)}. When it is full, new jobs are refused.` });
  for (const worker of seen.workers) {
    if (worker.stuck) found.push({ key: `s${worker.id}`, is: "warn", text: `Worker ${worker.id} has ${many(worker.stuck, "handler")} that never returned.` });
  }
  return found;
}

export function Troubles({ seen }) {
  const found = troubles(seen);
  if (!found.length) return null;
  return html`<div class="notices">${found.slice(0, 6).map((one) => html`<p key=${one.key} class=${one.is === "bad" ? "problem" : "notice warn"}>
    <${Icon} name="warn" /><span>${one.queue && html`Queue <${QueueLink} name=${one.queue} /> `}${one.text}</span></p>`)}
  </div>`;
}

function Tile({ name, value, values, href, kind = name, note }) {
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
      <span class="label">longest wait</span>
      <span class="value num">${wait ? lasting(wait) : "none"}</span>
      <span class="note clip">${worst ? html`in <b>${worst.queue}</b>, ${many(worst.queued, "job")} queued` : "nothing waits for a worker"}</span>
    </a>
    ${["queued", "running", "retrying", "scheduled", "dead"].map((name) => html`<${Tile} key=${name} name=${name} value=${short(seen.total[name])} values=${trail(name)} href=${name === "dead" ? to("dead") : to("jobs", "", { state: name })} />`)}
    <${Tile} name="done a minute" kind="completed" value=${lately ? rate(lately.out * 60) : "–"} values=${steps("completed_total")} href=${to("jobs", "", { state: "completed" })} />
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
  const cell = (name) => html`<td class="num ${one[name] ? "" : "zero"}">${short(one[name])}</td>`;
  return html`<tr>
    <td><span class="row"><${QueueLink} name=${one.queue} />${one.paused && html`<span class="tag warn"><${Icon} name="pause" size="11" />paused</span>`}</span></td>
    <td class="num ${wait ? tone(wait) : "zero"}">${wait ? lasting(wait) : "0 s"}</td>
    ${cell("queued")}${cell("running")}${cell("retrying")}${cell("scheduled")}
    <td class="num ${one.dead ? "bad" : "zero"}">${one.dead ? html`<a class="link" href=${to("dead", "", { queue: one.queue })}>${short(one.dead)}</a>` : 0}</td>
    <td class="num">${lately ? `${rate(lately.in)} / ${rate(lately.out)}` : "–"}</td>
    <td class="num">${one.queued && leaves > 0.05 ? lasting(one.queued / leaves) : one.queued ? "grows" : "–"}</td>
    <td class="num ${workers.length ? "" : one.queued ? "bad" : "zero"}">${workers.length}</td>
  </tr>`;
}

/** The first of some queues, and the rest of them if asked for. */
export function QueueTable({ queues, most }) {
  const [isAll, showAll] = useState(false);
  const shown = isAll ? queues : queues.slice(0, most);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Queues"><table>
    <thead><tr><th scope="col">queue</th><th scope="col" class="num">wait</th><th scope="col" class="num">queued</th><th scope="col" class="num">running</th><th scope="col" class="num">retrying</th><th scope="col" class="num">scheduled</th><th scope="col" class="num">dead</th><th scope="col" class="num">in / out a second</th><th scope="col" class="num">empty in</th><th scope="col" class="num">workers</th></tr></thead>
    <tbody>${shown.map((one) => html`<${QueueRow} key=${one.queue} one=${one} />`)}</tbody>
  </table></div>
  <div class="under-table"><span>${many(shown.length, "queue")}${shown.length < queues.length ? ` of ${number(queues.length)}` : ""}</span>${shown.length < queues.length && html`<${Button} kind="small" onClick=${() => showAll(true)}>Show all<//>`}</div>`;
}

function Running({ seen }) {
  const jobs = seen.workers.filter((one) => one.alive).flatMap((one) => one.jobs.map((job) => ({ ...job, worker: one.id })));
  jobs.sort((a, b) => (a.since < b.since ? -1 : 1));
  return html`<${Card} title="Running longest" aside=${html`<a class="link" href=${to("jobs", "", { state: "running" })}>all that run</a>`}>
    ${jobs.length ? html`<table><tbody>${jobs.slice(0, 6).map((job) => html`<tr key=${job.id}>
      <td><a class="link clip short" href=${to("jobs", job.id)}>${job.type}</a></td><td class="quiet fill"><span class="clip mono">${job.worker}</span></td><td class="num"><${Since} at=${job.since} /></td></tr>`)}</tbody></table>`
    : html`<${Empty} icon="running" title="Nothing runs for long">Workers tell of themselves every few seconds.<//>`}
  <//>`;
}

function Dying() {
  const poll = usePoll(withQuery("/api/dead/groups", { limit: 6, most: 500 }), { every: 30 });
  const found = poll.value.value;
  return html`<${Card} title="What dies" aside=${html`<a class="link" href=${to("dead")}>all that are dead</a>`}>
    ${found?.groups.length ? html`<table><tbody>${found.groups.map((one) => html`<tr key=${`${one.type} ${one.error} ${one.message}`}>
      <td class="num bad">${short(one.jobs)}</td><td><a class="link clip short" href=${to("dead", "", { type: one.type, error: one.error })}>${one.type}</a></td>
      <td class="fill"><span class="clip">${one.error}${one.message ? `: ${one.message}` : ""}</span></td><td class="num quiet"><${Time} at=${one.newest_at} /></td></tr>`)}</tbody></table>`
    : html`<${Empty} title=${found ? "Nothing is dead" : "Looking"} />`}
  <//>`;
}

function Nothing() {
  return html`<section class="hero card">
    <h2>Nothing has happened here yet.</h2>
    <p>In the playground you see a job fail, wait, die and come back, on this server, in half a minute.</p>
    <div class="row"><a class="button first" href=${to("playground", "", { play: "replay" })}><${Icon} name="playground" size="14" />Open the playground</a><a class="button" href="api/docs">Read the API</a></div>
  </section>`;
}

export function Overview() {
  const seen = overview.value;
  if (!seen) return html`<${Head} title="Overview" /><div class="card"><${Empty} icon="clock" title="Looking at the server" /></div>`;
  const alive = seen.workers.filter((one) => one.alive);
  const threads = alive.reduce((all, one) => all + one.threads, 0);
  const inHand = alive.reduce((all, one) => all + one.in_hand, 0);
  return html`<${Head} title="Overview" under=${`${many(seen.queues.length, "queue")}, ${many(alive.length, "worker")} with ${many(threads, "thread")}, ${bytes(seen.server.used_memory_bytes ?? 0)} in use`}>
      <a class="button" href=${to("playground")}><${Icon} name="plus" size="14" />Enqueue a job</a>
    <//>
    <div class="stack">
      <${Troubles} seen=${seen} />
      ${seen.queues.length ? html`
        <${Tiles} seen=${seen} />
        <${Chart} />
        <${Card} title="Queues" aside="longest wait first"><${QueueTable} queues=${seen.queues} most=${20} /><//>
        <div class="columns"><${Running} seen=${seen} /><${Dying} /></div>` : html`<${Nothing} />`}
    </div>`;
}

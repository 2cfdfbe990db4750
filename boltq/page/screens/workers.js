// Workers: who is there, what each has in hand, and who was not heard of any more.

import { html } from "../html.js";
import { now, overview } from "../live.js";
import { Card, Empty, Head, QueueLink, Since, Time } from "../parts.js";
import { to } from "../route.js";
import { many, number } from "../shown.js";

const MOST_SLOTS = 48;

/** A thread is a small mark, filled while it has a job. */
export function Slots({ worker }) {
  const { threads, in_hand: busy } = worker;
  const text = `${busy} of ${threads} threads busy`;
  if (threads > MOST_SLOTS) return html`<span class="num">${text}</span>`;
  return html`<span class="slots" role="img" aria-label=${text} title=${text}>${Array.from({ length: threads }, (_, i) => html`<i key=${i} class=${i < busy ? "on" : ""}></i>`)}</span>`;
}

function Worker({ one }) {
  return html`<tr class=${one.alive ? "" : "gone"}>
    <td><span class="pulse ${one.alive ? "" : "lost"}"><b class="mono">${one.id}</b></span><div class="small quiet">${one.host}, process ${one.pid}, ${one.version}</div></td>
    <td><span class="row">${Object.entries(one.queues).slice(0, 8).map(([name, weight]) => html`<span key=${name}><${QueueLink} name=${name} />${weight > 1 && html`<span class="quiet"> ×${weight}</span>`}</span>`)}${Object.keys(one.queues).length > 8 && html`<span class="quiet">and ${Object.keys(one.queues).length - 8} others</span>`}</span></td>
    <td><${Slots} worker=${one} />${one.stuck > 0 && html`<span class="tag bad">${many(one.stuck, "handler")} stuck</span>`}</td>
    <td>${one.jobs.length ? html`<ul class="small">${one.jobs.slice(0, 3).map((job) => html`<li key=${job.id}><a class="link" href=${to("jobs", job.id)}>${job.type}</a> <span class="quiet">for <${Since} at=${job.since} /></span></li>`)}${one.jobs.length > 3 && html`<li><a class="link quiet" href=${to("jobs", "", { state: "running", worker: one.id })}>and ${one.jobs.length - 3} others</a></li>`}</ul>` : html`<span class="quiet">nothing</span>`}</td>
    <td class="num">${number(one.worked)}</td>
    <td class="num quiet"><${Time} at=${one.started_at} /></td>
    <td class="num ${one.alive ? "" : "bad"}"><${Time} at=${one.seen_at} /></td>
  </tr>`;
}

export function Workers() {
  const seen = overview.value;
  now.value;
  const all = seen ? [...seen.workers].sort((a, b) => b.alive - a.alive || (a.id < b.id ? -1 : 1)) : [];
  const alive = all.filter((one) => one.alive);
  const threads = alive.reduce((sum, one) => sum + one.threads, 0);
  const busy = alive.reduce((sum, one) => sum + one.in_hand, 0);
  return html`<${Head} title="Workers" under=${`${many(alive.length, "worker")}, ${number(busy)} of ${many(threads, "thread")} busy. Who was not heard of for 30 seconds is taken for gone, and its jobs go to others.`}><//>
    <${Card} label="Workers">
      ${all.length ? html`<div class="scroll" tabindex="0" role="region" aria-label="Workers"><table>
        <thead><tr><th scope="col">worker</th><th scope="col">queues</th><th scope="col">threads</th><th scope="col">runs</th><th scope="col" class="num">worked</th><th scope="col" class="num">started</th><th scope="col" class="num">heard of</th></tr></thead>
        <tbody>${all.map((one) => html`<${Worker} key=${one.id} one=${one} />`)}</tbody></table></div>`
      : html`<${Empty} icon="workers" title=${seen ? "No worker was heard of in the last ten minutes" : "Looking"}>${seen && html`Start one: <code>boltq-worker</code>`}<//>`}
    <//>`;
}

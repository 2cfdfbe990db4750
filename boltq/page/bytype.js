// A queue's newest jobs of a state, counted by type: looked at while somebody has it open, and never else.

import { withQuery } from "./ask.js";
import { html, useState } from "./html.js";
import { clock } from "./kept.js";
import { Bar, Empty, Problem, State, Time } from "./parts.js";
import { usePoll } from "./poll.js";
import { to } from "./route.js";
import { many, number, percent, rate } from "./shown.js";
import { t } from "./words.js";

/** How many jobs are looked at: some 10 ms of the server's time, in calls of 100. */
const MOST = 1000;
const EVERY_SECONDS = 10;
/** Where the time of a job is when it ended, so that between the first and the last there is a rate. */
const ENDS = ["completed", "cancelled", "dead"];
/** Where each of them failed, nobody needs to be told how many did. */
const ALL_FAILED = ["retrying", "dead"];

/** Groups of a type are one, whatever their errors. */
function typesOf(groups) {
  const found = new Map();
  for (const one of groups) {
    const all = found.get(one.type) ?? { type: one.type, jobs: 0, failed: 0 };
    all.jobs += one.jobs;
    if (one.error) all.failed += one.jobs;
    found.set(one.type, all);
  }
  return [...found.values()].sort((a, b) => b.jobs - a.jobs);
}

/** When the first and the last of them ended, and how many that is a minute between the two, of each of them. */
function spanOf(groups) {
  const from = groups.map((one) => one.oldest_at).reduce((a, b) => (a < b ? a : b));
  const until = groups.map((one) => one.newest_at).reduce((a, b) => (a > b ? a : b));
  const minutes = (new Date(until) - new Date(from)) / 60_000;
  const jobs = groups.reduce((sum, one) => sum + one.jobs, 0);
  // n jobs are n - 1 steps from the first to the last.
  return { from, until, aMinute: minutes > 0 ? (jobs - 1) / jobs / minutes : null };
}

function Counts({ queue, state }) {
  const poll = usePoll(withQuery("/api/dead/groups", { state, queue, most: MOST }), { every: EVERY_SECONDS, slowest: 3 * EVERY_SECONDS });
  const found = poll.value.value;
  if (poll.problem.value) return html`<div class="body"><${Problem} error=${poll.problem.value} /></div>`;
  if (!found?.groups.length) return html`<${Empty} icon=${found ? "search" : "clock"} title=${found ? t("No such jobs") : t("Looking")} />`;
  const { from, until, aMinute } = spanOf(found.groups);
  const as = clock.value === "utc" ? "utc" : "local";
  const hasRate = ENDS.includes(state);
  const hasFailed = !ALL_FAILED.includes(state);
  const looked = t("{seen} of {total} looked at, the newest", { seen: number(found.scanned), total: number(found.total) });
  const span = t("ended between {from} and {until}", { from: html`<${Time} at=${from} as=${as} />`, until: html`<${Time} at=${until} as=${as} />` });
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("By type")}><table class="types">
      <thead><tr><th scope="col">${t("type")}</th><th scope="col" class="num">${t("jobs")}</th><th scope="col" class="c-share"><span class="away">${t("share")}</span></th>${hasRate && html`<th scope="col" class="num">${t("a minute")}</th>`}${hasFailed && html`<th scope="col" class="num">${t("failed before")}</th>`}</tr></thead>
      <tbody>${typesOf(found.groups).map((one) => html`<tr key=${one.type}>
        <td class="fill"><a class="link strong clip" href=${to("jobs", "", { queue, state, type: one.type })}>${one.type}</a></td>
        <td class="num">${number(one.jobs)}</td>
        <td class="c-share"><${Bar} part=${one.jobs} of=${found.scanned} kind=${state} label=${percent(one.jobs / found.scanned)} /></td>
        ${hasRate && html`<td class="num">${aMinute === null ? "–" : rate(aMinute * one.jobs)}</td>`}
        ${hasFailed && html`<td class="num ${one.failed ? "" : "zero"}">${number(one.failed)}</td>`}
      </tr>`)}</tbody></table></div>
    <div class="under-table"><span>${hasRate ? t("{this}; {that}", { this: looked, that: span }) : looked}.</span>${found.others > 0 && html`<span>${many(found.others, "{n} other in none of these groups.", "{n} others in none of these groups.")}</span>`}</div>`;
}

/** `state` is that of the jobs, or "" for those that completed. */
export function ByType({ queue, state }) {
  const [isOpen, open] = useState(false);
  const of = state || "completed";
  return html`<details class="card types" onToggle=${(event) => open(event.target.open)}>
    <summary><h2>${t("By type")}</h2><${State} name=${of} /></summary>
    ${isOpen && html`<${Counts} queue=${queue} state=${of} />`}
  </details>`;
}

// Dead: what died, by what it died of, to be replayed or deleted together.

import { withQuery } from "../ask.js";
import { Bulk } from "../bulk.js";
import { html, useState } from "../html.js";
import { JobList, useJobs } from "../joblist.js";
import { may, overview } from "../live.js";
import { Button, Card, Empty, Head, Problem, Time } from "../parts.js";
import { usePoll } from "../poll.js";
import { refine, route } from "../route.js";
import { many, number, short } from "../shown.js";
import { Many, Tokens, useMarks } from "./jobs.js";
import { t } from "../words.js";

const MOST = 5000;

/** Groups of the same type and error are one: by these two jobs are replayed and deleted. */
function together(groups) {
  const found = new Map();
  for (const one of groups) {
    const key = `${one.type} ${one.error}`;
    const all = found.get(key);
    if (!all) { found.set(key, { ...one, messages: [one.message], queues: { ...one.queues } }); continue; }
    all.jobs += one.jobs;
    all.messages.push(one.message);
    if (one.newest_at > all.newest_at) all.newest_at = one.newest_at;
    if (one.oldest_at < all.oldest_at) all.oldest_at = one.oldest_at;
    Object.assign(all.queues, one.queues);
  }
  return [...found.values()].sort((a, b) => b.jobs - a.jobs);
}

function Groups({ query, open }) {
  const poll = usePoll(withQuery("/api/dead/groups", { queue: query.queue, most: MOST, limit: 50 }), { every: 10 });
  const found = poll.value.value;
  const groups = found ? together(found.groups) : [];
  const isHere = (one) => query.type === one.type && query.error === one.error;
  const isAdmin = may("admin");
  return html`<${Card} title=${t("What they died of")} aside=${found?.total > 0 && t("{seen} of {total} looked at, the newest of each queue", { seen: number(found.scanned), total: number(found.total) })}>
    ${poll.problem.value && html`<div class="body"><${Problem} error=${poll.problem.value} /></div>`}
    ${groups.length ? html`<div class="scroll" tabindex="0" role="region" aria-label=${t("Groups of dead jobs")}><table class="groups">
      <thead><tr><th scope="col" class="num">${t("jobs")}</th><th scope="col">${t("type")}</th><th scope="col">${t("last error")}</th><th scope="col">${t("queues")}</th><th scope="col" class="num">${t("newest")}</th><th scope="col" class="num">${t("oldest")}</th><th scope="col"><span class="away">${t("Actions")}</span></th></tr></thead>
      <tbody>${groups.map((one) => html`<tr key=${`${one.type} ${one.error}`} class=${isHere(one) ? "chosen" : ""}>
        <td class="num bad strong">${short(one.jobs)}</td>
        <td><button type="button" class="as-link" onClick=${() => refine(isHere(one) ? { type: "", error: "" } : { type: one.type, error: one.error })}>${one.type}</button></td>
        <td class="fill"><span class="clip" title=${one.messages.join("\n")}><b>${one.error}</b> ${one.messages[0]}</span>${one.messages.length > 1 && html`<span class="small quiet">${many(one.messages.length - 1, "and {n} other message", "and {n} other messages")}</span>`}</td>
        <td class="c-queues quiet"><span class="clip short">${Object.keys(one.queues).join(", ")}</span></td>
        <td class="num"><${Time} at=${one.newest_at} /></td><td class="c-oldest num quiet"><${Time} at=${one.oldest_at} /></td>
        <td class="c-does"><span class="row right"><${Button} kind="small" icon="again" disabled=${!isAdmin} onClick=${() => open("replay", one)} title=${t("All dead jobs of this type and error")}>${t("Replay")}<//><${Button} kind="small danger" icon="trash" disabled=${!isAdmin} onClick=${() => open("purge", one)} title=${t("Delete them")}>${t("Delete")}<//></span></td>
      </tr>`)}</tbody></table></div>
      ${found.others > 0 && html`<p class="under-table">${many(found.others, "{n} other in none of these groups.", "{n} others in none of these groups.")}</p>`}`
    : html`<${Empty} title=${found ? t("Nothing is dead") : t("Looking")}>${found && t("What uses up its attempts stays here until it is replayed or deleted.")}<//>`}
  <//>`;
}

export function Dead() {
  const { query } = route.value;
  const filter = { state: "dead", queue: query.queue, type: query.type, error: query.error };
  const list = useJobs(filter);
  const [marked, mark, clear] = useMarks(JSON.stringify(query));
  const [bulk, open] = useState(null);
  const queues = overview.value?.queues.filter((one) => one.dead).map((one) => one.queue) ?? [];
  const pick = (action, one) => {
    const names = Object.keys(one.queues);
    open({ action, filter: { state: "dead", type: one.type, error: one.error, queue: query.queue || (names.length === 1 ? names[0] : undefined) } });
  };
  return html`<${Head} title=${t("Dead")} under=${t("Jobs that nobody tries again by itself. Replayed, they have fresh attempts and keep their past.")}>
      <select aria-label=${t("Queue")} value=${query.queue ?? ""} onChange=${(event) => refine({ queue: event.target.value })}><option value="">${t("any queue")}</option>${[...new Set([...queues, ...(query.queue ? [query.queue] : [])])].map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</select>
    <//>
    <div class="stack">
      <${Groups} query=${query} open=${pick} />
      ${(list.rows.length > 0 || list.isLooking || list.problem || Object.keys(query).length > 0) && html`<${Card} title=${t("Dead jobs")} aside=${t("the last to die first")}>
        ${(query.type || query.error) && html`<div class="filters"><${Tokens} query=${query} names=${["type", "error"]} /></div>`}
        <${JobList} list=${list} marked=${marked} mark=${mark} none=${t("No such job is dead")} label=${t("Dead jobs")} />
      <//>`}
    </div>
    <${Many} list=${list} marked=${marked} clear=${clear} filter=${filter} />
    ${bulk && html`<${Bulk} action=${bulk.action} filter=${bulk.filter} onClose=${() => { open(null); list.renew(); }} />`}`;
}

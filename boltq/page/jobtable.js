// A table of jobs, without payloads: what each is, how it stands, and what went wrong last.

import { inPath } from "./ask.js";
import { html } from "./html.js";
import { may } from "./live.js";
import { act, QueueLink, say, State, STATE_WORDS, Time } from "./parts.js";
import { go, to } from "./route.js";
import { useWalk } from "./walk.js";
import { t } from "./words.js";

/** The time of a job that matters in its state, and what it says. */
export function moment(job) {
  switch (job.state) {
    case "scheduled": case "retrying": return [t("due"), job.run_at];
    case "running": return [t("started"), job.started_at];
    case "queued": return [t("queued"), job.run_at ?? job.created_at];
    default: return [t("ended"), job.finished_at];
  }
}

/** The part of an id that tells jobs apart: one that was made up begins with a time. */
const shortId = (id) => /\d{14}-([a-z0-9]{13})$/.exec(id)?.[1] ?? id;

const firstLine = (error) => (error ? `${error.type}${error.message ? `: ${error.message.split("\n")[0]}` : ""}` : "");

const runs = (type) => t("{type} is queued now.", { type });
/** How a job comes back, by its state, and what is said then. */
const AGAIN = { dead: ["/replay", (type) => t("{type} is queued again, with fresh attempts.", { type })], scheduled: ["/run", runs], retrying: ["/run", runs] };

async function again(job, look) {
  const [end, said] = AGAIN[job.state] ?? [];
  if (!end) say(t("Only what is dead, retrying or scheduled comes back by this key: this job is {state}.", { state: STATE_WORDS[job.state] ?? job.state }), { isBad: true });
  else if (!may("admin")) say(t("This key may not do that: it needs the scope {scope}.", { scope: "admin" }), { isBad: true });
  else { await act("POST", `/api/jobs/${inPath(job.id)}${end}`, undefined, said(job.type)); look?.(); }
}

/** `marked` is a set of ids, or null where nothing can be marked; `gone` are those that moved on; `look` looks at the list anew. */
export function JobTable({ jobs, gone, marked, mark, look, hasQueue = true, label = t("Jobs") }) {
  const toggle = (job) => mark?.(job.id, !marked.has(job.id));
  const at = useWalk(jobs, { key: (job) => job.id, open: (job) => go(to("jobs", job.id)), mark: marked && toggle, again: (job) => again(job, look) });
  const isAll = marked && jobs.length > 0 && jobs.every((job) => marked.has(job.id));
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}><table class="jobs">
    <thead><tr>
      ${marked && html`<th scope="col"><label class="mark"><input type="checkbox" aria-label=${t("Mark all that are shown")} checked=${isAll} onChange=${() => jobs.forEach((job) => mark(job.id, !isAll))} /></label></th>`}
      <th scope="col">${t("state")}</th><th scope="col">${t("type")}</th>${hasQueue && html`<th scope="col">${t("queue")}</th>`}<th scope="col">${t("id")}</th><th scope="col" class="num">${t("attempt")}</th><th scope="col" class="num">${t("when")}</th><th scope="col">${t("last error")}</th>
    </tr></thead>
    <tbody>${jobs.map((job) => {
      const [what, when] = moment(job);
      return html`<tr key=${job.id} data-row=${job.id} class="${at === job.id ? "at" : ""} ${marked?.has(job.id) ? "chosen" : ""} ${gone?.has(job.id) ? "gone" : ""}">
        ${marked && html`<td class="c-mark"><label class="mark"><input type="checkbox" aria-label=${t("Mark {id}", { id: job.id })} checked=${marked.has(job.id)} onChange=${() => toggle(job)} /></label></td>`}
        <td class="c-state"><${State} name=${job.state} /></td>
        <td class="c-type"><a class="link strong" title=${job.type} href=${to("jobs", job.id)}>${job.type}</a></td>
        ${hasQueue && html`<td class="c-queue"><${QueueLink} name=${job.queue} /></td>`}
        <td class="c-id mono quiet"><span class="clip short" title=${job.id}>${shortId(job.id)}</span></td>
        <td class="c-attempt num">${job.attempt}<span class="quiet"> ${t("of {n}", { n: job.max_attempts })}</span></td>
        <td class="c-when num"><span class="quiet">${what}</span> <${Time} at=${when} /></td>
        <td class="c-error fill ${["completed", "cancelled"].includes(job.state) ? "quiet" : ""}"><span class="clip" title=${firstLine(job.errors[0])}>${firstLine(job.errors[0])}</span></td>
      </tr>`;
    })}</tbody>
  </table></div>`;
}

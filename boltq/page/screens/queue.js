// One queue: what it holds, who works on it, how it behaves, and what can be done to it.

import { ask, inPath } from "../ask.js";
import { Bulk } from "../bulk.js";
import { ByType } from "../bytype.js";
import { Chart } from "../chart.js";
import { html, useState } from "../html.js";
import { Icon } from "../icons.js";
import { person } from "../kept.js";
import { JobList, useJobs } from "../joblist.js";
import { may, overview, rates, trail, workersOf } from "../live.js";
import { act, Button, Card, Choice, Dialog, Empty, Field, Head, Problem, Spark, STATE_WORDS, STATES, State, Time } from "../parts.js";
import { usePoll } from "../poll.js";
import { go, refine, route, to } from "../route.js";
import { lasting, many, number, rate, short } from "../shown.js";
import { Actions, Elsewhere, queueSnippets } from "../snippets.js";
import { Slots } from "./workers.js";
import { t } from "../words.js";

function Pause({ queue, onClose, look }) {
  const [reason, write] = useState("");
  const send = async (event) => {
    event.preventDefault();
    onClose();
    await act("POST", `/api/queues/${inPath(queue)}/pause`, { reason, by: person.value }, t("{queue} is paused.", { queue }));
    look();
  };
  return html`<${Dialog} title=${t("Pause {queue}?", { queue })} onClose=${onClose}><form onSubmit=${send}>
    <div class="body"><p>${t("No more of its jobs are handed out. What runs goes on, and new jobs may come.")}</p>
      <${Field} label=${t("Why, for people")}><input value=${reason} maxlength="200" onInput=${(event) => write(event.target.value)} data-first /><//>
      <${Elsewhere} of=${queueSnippets.pause(queue, { reason, by: person.value })} /></div>
    <div class="foot"><${Button} onClick=${onClose}>${t("Leave it")}<//><${Button} type="submit" kind="first" icon="pause">${t("Pause")}<//></div>
  </form><//>`;
}

function Drop({ queue, onClose }) {
  const [typed, type] = useState("");
  const send = async (event) => {
    event.preventDefault();
    onClose();
    if (await act("DELETE", `/api/queues/${inPath(queue)}`, undefined, t("{queue} is deleted.", { queue }))) go(to("queues"));
  };
  return html`<${Dialog} title=${t("Delete {queue}?", { queue })} onClose=${onClose}><form onSubmit=${send}>
    <div class="body"><p>${t("Its settings, totals and operations go. It must hold no jobs.")}</p>
      <${Field} label=${t("Type {what} to confirm", { what: queue })}><input value=${typed} onInput=${(event) => type(event.target.value)} autocomplete="off" spellcheck=${false} /><//>
      <${Elsewhere} of=${queueSnippets.drop(queue)} /></div>
    <div class="foot"><${Button} onClick=${onClose}>${t("Keep it")}<//><${Button} type="submit" kind="danger first" icon="trash" disabled=${typed !== queue}>${t("Delete")}<//></div>
  </form><//>`;
}

const GROUPS = [
  [t("What is kept"), ["keep_completed_seconds", "keep_completed", "keep_cancelled_seconds", "keep_cancelled", "keep_dead_seconds", "keep_dead", "keep_payloads"]],
  [t("What jobs have that say nothing else"), ["job_priority", "job_max_attempts", "job_max_lost", "job_timeout_seconds", "job_backoff_base_seconds", "job_backoff_factor", "job_backoff_cap_seconds", "job_backoff_jitter"]],
];
const TOTALS = {
  enqueued: t("enqueued"), completed: t("completed"), failed: t("failed"), lost: t("lost"), died: t("died"), cancelled: t("cancelled"), replayed: t("replayed"), purged: t("deleted"), trimmed: t("trimmed"),
};
const named = (name) => name.replace(/^job_/, "").replaceAll("_", " ");

function Settings({ queue, settings, look }) {
  const [written, write] = useState({});
  const [problem, tell] = useState(null);
  const others = Object.keys(settings).filter((name) => !GROUPS.some(([, names]) => names.includes(name)));
  const changed = Object.entries(written).filter(([name, value]) => String(value) !== String(settings[name]));
  const told = Object.fromEntries(changed.map(([name, value]) => [name, value === "" ? null : Number(value)]));
  const isAdmin = may("admin");
  const save = async (event) => {
    event.preventDefault();
    tell(null);
    try {
      await ask("PATCH", `/api/queues/${inPath(queue)}`, told);
      write({});
      look();
    } catch (error) { tell(error); }
  };
  const field = (name) => html`<${Field} key=${name} label=${html`<span lang="en">${named(name)}</span>`} error=${problem?.told?.field === name ? problem.message : ""}><input type="number" step="any" disabled=${!isAdmin} value=${written[name] ?? settings[name]} onInput=${(event) => write({ ...written, [name]: event.target.value })} /><//>`;
  return html`<${Card} title=${t("How it behaves")} aside=${t("empty is the default again")}><form class="body stack" onSubmit=${save}>
    ${[...GROUPS, [t("Bounds"), others]].map(([title, names]) => html`<div class="stack tight" key=${title}><h3>${title}</h3><div class="fields">${names.filter((name) => name in settings).map(field)}</div></div>`)}
    <${Problem} error=${problem} />
    ${changed.length > 0 && html`<div class="row"><${Button} type="submit" kind="first" icon="check">${many(changed.length, "Set {n} value", "Set {n} values")}<//><${Button} kind="plain" onClick=${() => { write({}); tell(null); }}>${t("As it was")}<//></div>
      <${Elsewhere} of=${queueSnippets.set(queue, told)} />`}
  </form><//>`;
}

export function Queue({ id }) {
  const poll = usePoll(`/api/queues/${inPath(id)}`, { every: 2 });
  const { query } = route.value;
  const state = query.state ?? "";
  const list = useJobs({ queue: id, state });
  const [open, setOpen] = useState(null);
  const one = poll.value.value;
  const problem = poll.problem.value;
  const look = () => { poll.look(); };
  if (!one || problem?.status === 404) {
    return html`<${Head} title=${id} /><div class="card">${problem?.status === 404 ? html`<${Empty} icon="queues" title=${t("Nobody has used such a queue")}>${t("Or it was deleted. It is there once a job is enqueued into it.")}<//>` : problem ? html`<div class="body"><${Problem} error=${problem} /></div>` : html`<${Empty} icon="clock" title=${t("Looking")} />`}</div>`;
  }
  const lately = rates(id);
  const workers = workersOf(id);
  const under = [
    one.queued ? t("longest wait {time}", { time: lasting(one.oldest_queued_seconds) }) : t("nothing waits for a worker"),
    lately && t("{in} in and {out} out a second", { in: rate(lately.in), out: rate(lately.out) }), many(workers.length, "{n} worker", "{n} workers"),
  ].filter(Boolean).join(", ");
  const isAdmin = may("admin");
  const path = `/api/queues/${inPath(id)}`;
  const resume = async () => { await act("POST", `${path}/resume`, undefined, t("{queue} goes on.", { queue: id })); look(); };
  return html`<${Head} title=${id} under=${under}>
      ${one.paused ? html`<${Button} kind="first" icon="resume" disabled=${!isAdmin} onClick=${resume}>${t("Resume")}<//>` : html`<${Button} icon="pause" disabled=${!isAdmin} onClick=${() => setOpen("pause")}>${t("Pause")}<//>`}
      <${Button} kind="danger" icon="trash" disabled=${!isAdmin} onClick=${() => setOpen("drop")}>${t("Delete")}<//>
    <//>
    <div class="stack">
      ${one.paused && html`<p class="notice warn"><${Icon} name="pause" /><span>${t("Paused {time}{by}{because}. What is queued waits.", { time: html`<${Time} at=${one.paused_at} />`, by: one.paused_by && ` ${t("by {name}", { name: one.paused_by })}`, because: one.pause_reason && t(": {why}", { why: one.pause_reason }) })}</span></p>`}
      <div class="tiles seven">${STATES.map((name) => html`<a key=${name} class="tile ${name}" href=${to("queues", id, { state: name })} aria-current=${state === name ? "true" : undefined}><span class="label">${STATE_WORDS[name]}</span><span class="value num">${short(one[name])}</span><${Spark} values=${trail(name, id)} /></a>`)}</div>
      <${Chart} queue=${id} />
      <${ByType} queue=${id} state=${state} />
      <${Card} title=${t("Jobs")} aside=${html`<${Choice} label=${t("State")} options=${[["", t("all")], ...STATES.map((name) => [name, STATE_WORDS[name]])]} value=${state} onChange=${(next) => refine({ state: next })} />
        ${state && state !== "running" && one[state] > 0 && isAdmin && html`<${Button} kind="small danger" icon="trash" onClick=${() => setOpen("purge")}>${t("Delete all")}<//>`}`}>
        <${JobList} list=${list} hasQueue=${false} hint=${html`<p>${state ? html`<a href=${to("queues", id)}>${t("Look at all jobs")}</a>` : html`<a href=${to("playground", "", { queue: id })}>${t("Enqueue a job")}</a>`}</p>`} label=${t("Jobs of {queue}", { queue: id })} />
      <//>
      <div class="columns">
        <${Settings} queue=${id} settings=${one.settings} look=${look} />
        <div class="stack">
          <${Card} title=${t("Workers that attend it")}>${workers.length ? html`<table><tbody>${workers.map((each) => html`<tr key=${each.id}><td class="mono fill"><span class="clip">${each.id}</span></td><td><${Slots} worker=${each} /></td><td class="num quiet"><${Time} at=${each.seen_at} /></td></tr>`)}</tbody></table>` : html`<${Empty} icon="workers" title=${t("None that we see")}><code>boltq-worker --queues ${id}</code><//>`}<//>
          <${Card} title=${t("Since its beginning")}><dl class="facts body">${Object.entries(TOTALS).map(([name, title]) => html`<dt key=${name}>${title}</dt><dd class="num">${number(one[`${name}_total`] ?? 0)}</dd>`)}</dl><//>
          <${Actions} all=${[one.paused ? ["resume", t("resume it"), queueSnippets.resume(id)] : ["pause", t("pause it"), queueSnippets.pause(id)], ["drop", t("delete it"), queueSnippets.drop(id)]]} />
        </div>
      </div>
    </div>
    ${open === "pause" && html`<${Pause} queue=${id} look=${look} onClose=${() => setOpen(null)} />`}
    ${open === "drop" && html`<${Drop} queue=${id} onClose=${() => setOpen(null)} />`}
    ${open === "purge" && html`<${Bulk} action="purge" filter=${{ queue: id, state }} onClose=${() => { setOpen(null); list.renew(); }} />`}`;
}

// One queue: what it holds, who works on it, how it behaves, and what can be done to it.

import { ask, inPath } from "../ask.js";
import { Bulk } from "../bulk.js";
import { Chart } from "../chart.js";
import { html, useState } from "../html.js";
import { Icon } from "../icons.js";
import { person } from "../kept.js";
import { JobList, useJobs } from "../joblist.js";
import { may, overview, rates, trail, workersOf } from "../live.js";
import { act, Button, Card, Choice, Dialog, Empty, Field, Head, Problem, Spark, STATES, State, Time } from "../parts.js";
import { usePoll } from "../poll.js";
import { go, refine, route, to } from "../route.js";
import { lasting, many, number, rate, short } from "../shown.js";
import { Actions, Elsewhere, queueSnippets } from "../snippets.js";
import { Slots } from "./workers.js";

function Pause({ queue, onClose, look }) {
  const [reason, write] = useState("");
  const send = async (event) => {
    event.preventDefault();
    onClose();
    await act("POST", `/api/queues/${inPath(queue)}/pause`, { reason, by: person.value }, `${queue} is paused.`);
    look();
  };
  return html`<${Dialog} title=${`Pause ${queue}?`} onClose=${onClose}><form onSubmit=${send}>
    <div class="body"><p>No more of its jobs are handed out. What runs goes on, and new jobs may come.</p>
      <${Field} label="Why, for people"><input value=${reason} maxlength="200" onInput=${(event) => write(event.target.value)} data-first /><//>
      <${Elsewhere} of=${queueSnippets.pause(queue, { reason, by: person.value })} /></div>
    <div class="foot"><${Button} onClick=${onClose}>Leave it<//><${Button} type="submit" kind="first" icon="pause">Pause<//></div>
  </form><//>`;
}

function Drop({ queue, onClose }) {
  const [typed, type] = useState("");
  const send = async (event) => {
    event.preventDefault();
    onClose();
    if (await act("DELETE", `/api/queues/${inPath(queue)}`, undefined, `${queue} is deleted.`)) go(to("queues"));
  };
  return html`<${Dialog} title=${`Delete ${queue}?`} onClose=${onClose}><form onSubmit=${send}>
    <div class="body"><p>Its settings, totals and operations go. It must hold no jobs.</p>
      <${Field} label=${`Type ${queue} to confirm`}><input value=${typed} onInput=${(event) => type(event.target.value)} autocomplete="off" spellcheck=${false} /><//>
      <${Elsewhere} of=${queueSnippets.drop(queue)} /></div>
    <div class="foot"><${Button} onClick=${onClose}>Keep it<//><${Button} type="submit" kind="danger first" icon="trash" disabled=${typed !== queue}>Delete<//></div>
  </form><//>`;
}

const GROUPS = [
  ["What is kept", ["keep_completed_seconds", "keep_completed", "keep_cancelled_seconds", "keep_cancelled", "keep_dead_seconds", "keep_dead", "keep_payloads"]],
  ["What jobs have that say nothing else", ["job_priority", "job_max_attempts", "job_max_lost", "job_timeout_seconds", "job_backoff_base_seconds", "job_backoff_factor", "job_backoff_cap_seconds", "job_backoff_jitter"]],
];
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
  const field = (name) => html`<${Field} key=${name} label=${named(name)} error=${problem?.told?.field === name ? problem.message : ""}><input type="number" step="any" disabled=${!isAdmin} value=${written[name] ?? settings[name]} onInput=${(event) => write({ ...written, [name]: event.target.value })} /><//>`;
  return html`<${Card} title="How it behaves" aside="empty is the default again"><form class="body stack" onSubmit=${save}>
    ${[...GROUPS, ["Bounds", others]].map(([title, names]) => html`<div class="stack tight" key=${title}><h3>${title}</h3><div class="fields">${names.filter((name) => name in settings).map(field)}</div></div>`)}
    <${Problem} error=${problem} />
    ${changed.length > 0 && html`<div class="row"><${Button} type="submit" kind="first" icon="check">Set ${many(changed.length, "value")}<//><${Button} kind="plain" onClick=${() => { write({}); tell(null); }}>As it was<//></div>
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
    return html`<${Head} title=${id} /><div class="card">${problem?.status === 404 ? html`<${Empty} icon="queues" title="Nobody has used such a queue">Or it was deleted. It is there once a job is enqueued into it.<//>` : problem ? html`<div class="body"><${Problem} error=${problem} /></div>` : html`<${Empty} icon="clock" title="Looking" />`}</div>`;
  }
  const lately = rates(id);
  const workers = workersOf(id);
  const isAdmin = may("admin");
  const path = `/api/queues/${inPath(id)}`;
  const resume = async () => { await act("POST", `${path}/resume`, undefined, `${id} goes on.`); look(); };
  return html`<${Head} title=${id} under=${`${one.queued ? `longest wait ${lasting(one.oldest_queued_seconds)}` : "nothing waits for a worker"}${lately ? `, ${rate(lately.in)} in and ${rate(lately.out)} out a second` : ""}, ${many(workers.length, "worker")}`}>
      ${one.paused ? html`<${Button} kind="first" icon="resume" disabled=${!isAdmin} onClick=${resume}>Resume<//>` : html`<${Button} icon="pause" disabled=${!isAdmin} onClick=${() => setOpen("pause")}>Pause<//>`}
      <${Button} kind="danger" icon="trash" disabled=${!isAdmin} onClick=${() => setOpen("drop")}>Delete<//>
    <//>
    <div class="stack">
      ${one.paused && html`<p class="notice warn"><${Icon} name="pause" /><span>Paused <${Time} at=${one.paused_at} />${one.paused_by && ` by ${one.paused_by}`}${one.pause_reason && `: ${one.pause_reason}`}. What is queued waits.</span></p>`}
      <div class="tiles seven">${STATES.map((name) => html`<a key=${name} class="tile ${name}" href=${to("queues", id, { state: name })} aria-current=${state === name ? "true" : undefined}><span class="label">${name}</span><span class="value num">${short(one[name])}</span><${Spark} values=${trail(name, id)} /></a>`)}</div>
      <${Chart} queue=${id} />
      <${Card} title="Jobs" aside=${html`<${Choice} label="State" options=${[["", "all"], ...STATES.map((name) => [name, name])]} value=${state} onChange=${(next) => refine({ state: next })} />
        ${state && state !== "running" && one[state] > 0 && isAdmin && html`<${Button} kind="small danger" icon="trash" onClick=${() => setOpen("purge")}>Delete all<//>`}`}>
        <${JobList} list=${list} hasQueue=${false} label=${`Jobs of ${id}`} />
      <//>
      <div class="columns">
        <${Settings} queue=${id} settings=${one.settings} look=${look} />
        <div class="stack">
          <${Card} title="Workers that attend it">${workers.length ? html`<table><tbody>${workers.map((each) => html`<tr key=${each.id}><td class="mono fill"><span class="clip">${each.id}</span></td><td><${Slots} worker=${each} /></td><td class="num quiet"><${Time} at=${each.seen_at} /></td></tr>`)}</tbody></table>` : html`<${Empty} icon="workers" title="None that we see"><code>boltq-worker --queues ${id}</code><//>`}<//>
          <${Card} title="Since its beginning"><dl class="facts body">${["enqueued", "completed", "failed", "lost", "died", "cancelled", "replayed", "purged", "trimmed"].map((name) => html`<dt key=${name}>${name}</dt><dd class="num">${number(one[`${name}_total`] ?? 0)}</dd>`)}</dl><//>
          <${Actions} all=${[one.paused ? ["resume", "resume it", queueSnippets.resume(id)] : ["pause", "pause it", queueSnippets.pause(id)], ["drop", "delete it", queueSnippets.drop(id)]]} />
        </div>
      </div>
    </div>
    ${open === "pause" && html`<${Pause} queue=${id} look=${look} onClose=${() => setOpen(null)} />`}
    ${open === "drop" && html`<${Drop} queue=${id} onClose=${() => setOpen(null)} />`}
    ${open === "purge" && html`<${Bulk} action="purge" filter=${{ queue: id, state }} onClose=${() => { setOpen(null); list.renew(); }} />`}`;
}

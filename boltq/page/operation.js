// What is done to many jobs: its words, its progress, and its end.

import { inPath } from "./ask.js";
import { html } from "./html.js";
import { may } from "./live.js";
import { act, Bar, Button, QueueLink, Time } from "./parts.js";
import { many, number } from "./shown.js";
import { Elsewhere, stopSnippets } from "./snippets.js";

export const kinds = {
  replay: { title: "Replay dead jobs", verb: "Replay", will: "will be queued again, with fresh attempts", icon: "again", isSafe: true },
  cancel: { title: "Cancel jobs", verb: "Cancel", will: "will be cancelled", icon: "close", isSafe: false },
  purge: { title: "Delete jobs", verb: "Delete", will: "will be deleted, with all that is kept of them", icon: "trash", isSafe: false },
  run_now: { title: "Run jobs now", verb: "Run", will: "will be queued now, whenever they are due", icon: "running", isSafe: true },
};

/** The share that is looked at, and by what name that goes. */
export function OperationRow({ one, look = null }) {
  const told = Object.entries(one.filter).filter(([name]) => name !== "until").map(([name, value]) => `${name} ${value}`).join(", ");
  const isOn = !one.ended_at;
  const what = `${one.dry_run ? "Count" : kinds[one.action]?.verb ?? one.action}`;
  return html`<div class="operation">
    <div class="row apart"><span><b>${what}</b> in <${QueueLink} name=${one.queue} /> <span class="quiet">${told}</span></span><span class="tag ${isOn ? "warn" : ""}">${one.status}</span></div>
    <${Bar} part=${isOn ? one.looked_at : Math.max(one.looked_at, 1)} of=${Math.max(one.total, 1)} kind="full ${isOn ? "running" : "completed"}" label=${`${number(one.looked_at)} of ${number(one.total)} looked at`} />
    <div class="row apart small quiet"><span>${one.dry_run ? `${many(one.counted, "job")} counted` : `${many(one.done, "job")} done`}${one.skipped ? `, ${number(one.skipped)} left as they were` : ""}; ${number(one.looked_at)} of ${number(one.total)} looked at${one.rate_per_second ? `, at most ${number(one.rate_per_second)} a second` : ""}</span>
      <span class="row">${one.by && `by ${one.by}`} <${Time} at=${one.ended_at ?? one.started_at} />
      ${isOn && html`<${Button} kind="small" icon="stop" disabled=${!may("admin")} onClick=${async () => { await act("POST", `/api/operations/${inPath(one.id)}/stop`, undefined, "It is stopped. What it has done stays."); look?.(); }}>Stop<//>`}</span></div>
    ${isOn && html`<${Elsewhere} of=${stopSnippets(one.id)} />`}
  </div>`;
}

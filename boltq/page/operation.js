// What is done to many jobs: its words, its progress, and its end.

import { inPath } from "./ask.js";
import { html } from "./html.js";
import { may } from "./live.js";
import { act, Bar, Button, FILTER_WORDS, QueueLink, STATE_WORDS, Time } from "./parts.js";
import { many, number } from "./shown.js";
import { Elsewhere, stopSnippets } from "./snippets.js";
import { t } from "./words.js";

export const kinds = {
  replay: { title: t("Replay dead jobs"), verb: t("Replay"), all: (n) => t("Replay {n}", { n }), will: (n) => many(n, "{n} job will be queued again, with fresh attempts.", "{n} jobs will be queued again, with fresh attempts."), icon: "again", isSafe: true },
  cancel: { title: t("Cancel jobs"), verb: t("Cancel"), all: (n) => t("Cancel {n}", { n }), will: (n) => many(n, "{n} job will be cancelled.", "{n} jobs will be cancelled."), icon: "close", isSafe: false },
  purge: { title: t("Delete jobs"), verb: t("Delete"), all: (n) => t("Delete {n}", { n }), will: (n) => many(n, "{n} job will be deleted, with all that is kept of it.", "{n} jobs will be deleted, with all that is kept of them."), icon: "trash", isSafe: false },
  run_now: { title: t("Run jobs now"), verb: t("Run"), all: (n) => t("Run {n}", { n }), will: (n) => many(n, "{n} job will be queued now, whenever it is due.", "{n} jobs will be queued now, whenever they are due."), icon: "running", isSafe: true },
};

const STATUSES = { counting: t("counting"), running: t("running"), finished: t("finished"), stopped: t("stopped"), refused: t("refused") };

/** The share that is looked at, and by what name that goes. */
export function OperationRow({ one, look = null }) {
  const told = Object.entries(one.filter).filter(([name]) => name !== "until").map(([name, value]) => `${FILTER_WORDS[name] ?? name} ${(name === "state" && STATE_WORDS[value]) || value}`).join(", ");
  const isOn = !one.ended_at;
  const what = one.dry_run ? t("Count") : kinds[one.action]?.verb ?? one.action;
  const looked = { seen: number(one.looked_at), total: number(one.total) };
  const counted = one.dry_run ? many(one.counted, "{n} job counted", "{n} jobs counted") : many(one.done, "{n} job done", "{n} jobs done");
  const skipped = one.skipped ? many(one.skipped, ", {n} left as it was", ", {n} left as they were") : "";
  const slowly = one.rate_per_second ? t(", at most {rate} a second", { rate: number(one.rate_per_second) }) : "";
  return html`<div class="operation">
    <div class="row apart"><span>${t("{what} in {queue}", { what: html`<b>${what}</b>`, queue: html`<${QueueLink} name=${one.queue} />` })} <span class="quiet">${told}</span></span><span class="tag ${isOn ? "warn" : ""}">${STATUSES[one.status] ?? one.status}</span></div>
    <${Bar} part=${isOn ? one.looked_at : Math.max(one.looked_at, 1)} of=${Math.max(one.total, 1)} kind="full ${isOn ? "running" : "completed"}" label=${t("{seen} of {total} looked at", looked)} />
    <div class="row apart small quiet"><span>${t("{this}; {that}", { this: counted + skipped, that: t("{seen} of {total} looked at", looked) + slowly })}</span>
      <span class="row">${one.by && t("by {name}", { name: one.by })} <${Time} at=${one.ended_at ?? one.started_at} />
      ${isOn && html`<${Button} kind="small" icon="stop" disabled=${!may("admin")} onClick=${async () => { await act("POST", `/api/operations/${inPath(one.id)}/stop`, undefined, t("It is stopped. What it has done stays.")); look?.(); }}>${t("Stop")}<//>`}</span></div>
    ${isOn && html`<${Elsewhere} of=${stopSnippets(one.id)} />`}
  </div>`;
}

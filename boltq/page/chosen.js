// A job that was picked on the board: what can be done to it, each also as a line to copy.

import { inPath } from "./ask.js";
import { html, useState } from "./html.js";
import { may } from "./live.js";
import { act, Button, JobLink, State } from "./parts.js";
import { usePoll } from "./poll.js";
import { readJob } from "./readjob.js";
import { jobSnippets, Snippets } from "./snippets.js";
import { t } from "./words.js";

const RESTS = ["scheduled", "queued", "retrying"];

export function Chosen({ id, close, look }) {
  const poll = usePoll(`/api/jobs/${inPath(id)}`, { every: 1, slowest: 2, read: readJob });
  const job = poll.value.value;
  return job ? html`<${Picked} job=${job} close=${close} look=${() => { poll.look(); look(); }} />` : null;
}

function Picked({ job, close, look }) {
  const [last, remember] = useState(null);
  const path = `/api/jobs/${inPath(job.id)}`;
  const rests = RESTS.includes(job.state);
  const does = async (method, end, body, said, snippet) => {
    remember(snippet);
    await act(method, `${path}${end}`, body, said);
    look();
  };
  const alter = (told, said) => does("PATCH", "", told, said, jobSnippets.alter(job.id, told));
  const isAdmin = may("admin");
  return html`<div class="picked">
    <div class="row apart body">
      <div class="row"><${State} name=${job.state} /><b>${job.type}</b><${JobLink} id=${job.id} /></div>
      <button type="button" class="bare" aria-label=${t("Put it back")} onClick=${close}>×</button>
    </div>
    <div class="row body">
      <label class="row small soft">${t("Priority")} <select disabled=${!rests || !isAdmin} value=${job.priority} onChange=${(event) => alter({ priority: Number(event.target.value) }, t("Priority {n}.", { n: event.target.value }))}>${[9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((one) => html`<option key=${one}>${one}</option>`)}</select></label>
      <${Button} kind="small" icon="scheduled" disabled=${!rests || !isAdmin} onClick=${() => alter({ delay_seconds: 10 }, t("It waits 10 s."))}>${t("Delay 10 s")}<//>
      <${Button} kind="small" icon="running" disabled=${!["scheduled", "retrying"].includes(job.state) || !isAdmin} onClick=${() => does("POST", "/run", undefined, t("Its time has come."), jobSnippets.run(job.id))}>${t("Run now")}<//>
      <${Button} kind="small" icon="close" disabled=${!(rests || job.state === "running") || !isAdmin} onClick=${() => does("POST", "/cancel", undefined, job.state === "running" ? t("Its worker is asked to stop.") : t("Cancelled."), jobSnippets.cancel(job.id))}>${t("Cancel")}<//>
      <${Button} kind="small" icon="again" disabled=${job.state !== "dead" || !isAdmin} onClick=${() => does("POST", "/replay", undefined, t("It comes back."), jobSnippets.replay(job.id))}>${t("Replay")}<//>
    </div>
    <${Snippets} of=${last ?? jobSnippets.show(job.id)} />
  </div>`;
}

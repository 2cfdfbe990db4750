// The form by which a job is enqueued: in the playground, and again from a job that was.

import { checked } from "./exact.js";
import { html } from "./html.js";
import { Field } from "./parts.js";
import { t } from "./words.js";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/;

/** What is wrong with a job that is being written, by field. */
export function faults(job) {
  const found = {};
  if (!NAME.test(job.type)) found.type = t("letters, digits and _ . : -, a letter or digit first");
  if (!NAME.test(job.queue) || job.queue.includes(":")) found.queue = t("letters, digits and _ . -, a letter or digit first");
  const wrong = checked(job.payload || "null");
  if (wrong) found.payload = wrong;
  return found;
}

const whole = (text) => (text === "" ? undefined : Number(text));

export function JobFields({ job, change, queues, rows = 5 }) {
  const wrong = faults(job);
  const set = (name) => (event) => change({ ...job, [name]: event.target.value });
  const setNumber = (name) => (event) => change({ ...job, [name]: whole(event.target.value) });
  return html`<div class="fields">
    <${Field} label=${t("Type")} error=${wrong.type}><input value=${job.type} onInput=${set("type")} aria-invalid=${!!wrong.type} spellcheck=${false} autocomplete="off" /><//>
    <${Field} label=${t("Queue")} error=${wrong.queue}><input value=${job.queue} onInput=${set("queue")} list="queues" aria-invalid=${!!wrong.queue} spellcheck=${false} autocomplete="off" />
      <datalist id="queues">${queues.map((one) => html`<option key=${one} value=${one} />`)}</datalist><//>
    <${Field} label=${t("Payload")} wide error=${wrong.payload}><textarea rows=${rows} value=${job.payload} onInput=${set("payload")} aria-invalid=${!!wrong.payload} spellcheck=${false}></textarea><//>
    <${Field} label=${t("Priority, 9 first")}><input type="number" min="0" max="9" value=${job.priority ?? ""} placeholder="4" onInput=${setNumber("priority")} /><//>
    <${Field} label=${t("Delay, seconds")}><input type="number" min="0" step="any" value=${job.delay_seconds ?? ""} placeholder="0" onInput=${setNumber("delay_seconds")} /><//>
    <${Field} label=${t("Attempts")}><input type="number" min="1" max="1000" value=${job.max_attempts ?? ""} placeholder="3" onInput=${setNumber("max_attempts")} /><//>
  </div>`;
}

// The same action for a shell, for Python and for boltq, to be copied.

import { inPath, ROOT } from "./ask.js";
import { html, useState } from "./html.js";
import { secret } from "./kept.js";
import { Card, Copy } from "./parts.js";
import { t } from "./words.js";

/** A text as one word of a POSIX shell. */
export const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${String(text).replaceAll("'", "'\\''")}'`);

/** JSON as Python writes it; each number as it is. */
export function pythonOf(json) {
  const parts = json.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[^"]+/gs) ?? [];
  return parts.map((part) => (part[0] === '"' ? pythonText(part) : part
    .replace(/\btrue\b/g, "True").replace(/\bfalse\b/g, "False").replace(/\bnull\b/g, "None")
    .replace(/\s*([:,])\s*/g, "$1 ").replace(/\s*([{}[\]])\s*/g, "$1"))).join("");
}
// A surrogate pair of JSON is two escapes, of Python it is one letter.
const pythonText = (part) => (/\\u|\\\//.test(part) ? JSON.stringify(JSON.parse(part)) : part);

const BREAK = " \\\n  ";

export function curlOf(method, path, body, word = quoted(ROOT + path)) {
  const lines = [`curl${method === "GET" ? "" : ` -X ${method}`} ${word}`];
  if (secret.value) lines.push('-H "Authorization: Bearer $BOLTQ_KEY"');
  if (["PATCH", "DELETE"].includes(method) && path.startsWith("/api/jobs/")) lines.push("-H 'If-Match: *'");
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${quoted(body)}`);
  return lines.join(BREAK);
}

const python = (line) => `from boltq import BoltQ\n\napp = BoltQ()\n${line}`;
const text = JSON.stringify;

/** Add a job: `job` is its body with the payload as text of JSON. */
export function enqueueSnippets(job) {
  const { type, payload = "null", queue = "default", ...options } = job;
  const body = bodyOf(job);
  const chosen = Object.entries(options).filter(([, value]) => value !== undefined && value !== "");
  const flat = chosen.filter(([name]) => name !== "backoff" && name !== "delay_seconds");
  const told = [
    ...(queue === "default" ? [] : [`queue=${text(queue)}`]),
    ...flat.map(([name, value]) => `${name}=${pythonOf(text(value))}`),
    ...(options.delay_seconds ? [`delay_seconds=${options.delay_seconds}`] : []),
    ...(options.backoff ? [`backoff=Backoff(${Object.entries(options.backoff).map(([k, v]) => `${k}=${v}`).join(", ")})`] : []),
  ];
  const flags = flat.filter(([name]) => ["priority", "max_attempts", "id"].includes(name)).map(([name, value]) => ` --${name.replace("_", "-")} ${value}`).join("");
  const call = `app.enqueue(${[text(type), pythonOf(payload), ...told].join(", ")})`;
  return {
    curl: curlOf("POST", "/api/jobs", body),
    Python: (options.backoff ? python(call).replace("import BoltQ", "import Backoff, BoltQ") : python(call)),
    boltq: options.backoff || options.headers ? "" : `boltq enqueue ${quoted(type)} ${quoted(payload)}${queue === "default" ? "" : ` --queue ${quoted(queue)}`}${flags}${options.delay_seconds ? ` --delay ${options.delay_seconds}` : ""}`,
  };
}

/** The body of POST /api/jobs, the payload as it was written. */
export function bodyOf({ payload = "null", ...job }) {
  const rest = JSON.stringify(Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined && value !== "")));
  return `${rest.slice(0, -1)},"payload":${payload}}`;
}

/** An action on one job, or on each of several: then one that is refused does not keep the others from it. */
const onJobs = (method, end, call, command, body) => (...ids) => ({
  curl: ids.length === 1 ? curlOf(method, `/api/jobs/${inPath(ids[0])}${end}`, body) : curlOfEach(method, end, ids, body),
  Python: ids.length === 1 ? python(call(text(ids[0]))) : pythonOfEach(call, ids),
  boltq: ids.length === 1 ? `boltq ${command} ${quoted(ids[0])}` : [`boltq ${command}`, ...ids.map(quoted)].join(BREAK),
});

const indented = (lines) => lines.replaceAll(/^/gm, "  ");

function curlOfEach(method, end, ids, body) {
  const word = `${quoted(`${ROOT}/api/jobs/`)}"$id"${end}`;
  const curl = curlOf(method, "/api/jobs/", body, word);
  return `for id in${BREAK}${ids.map((id) => quoted(inPath(id))).join(BREAK)}\ndo\n${indented(curl)}\ndone`;
}

function pythonOfEach(call, ids) {
  const each = `for id in [\n${ids.map((id) => `    ${text(id)},\n`).join("")}]:\n    try:\n        ${call("id")}\n    except BoltQError as refusal:\n        print(refusal)`;
  return python(each).replace("import BoltQ\n", "import BoltQ\nfrom boltq.errors import BoltQError\n");
}

export const jobSnippets = {
  show: onJobs("GET", "", (id) => `print(app.get(${id}))`, "get"),
  cancel: onJobs("POST", "/cancel", (id) => `app.cancel(${id})`, "cancel"),
  replay: onJobs("POST", "/replay", (id) => `app.replay(${id})`, "dead replay"),
  run: onJobs("POST", "/run", (id) => `app.run_now(${id})`, "jobs run"),
  drop: onJobs("DELETE", "", (id) => `app.purge_job(${id})`, "jobs delete"),
  alter: (id, told) => {
    const each = Object.entries(told);
    const flags = each.map(([name, value]) => `--${name.replace("_seconds", "")} ${value}`).join(" ");
    return onJobs("PATCH", "", (one) => `app.alter(${[one, ...each.map(([name, value]) => `${name}=${value}`)].join(", ")})`, `jobs alter ${flags}`, text(told))(id);
  },
};

export const queueSnippets = {
  pause: (queue, { reason = "", by = "" } = {}) => {
    const told = Object.entries({ reason, by }).filter(([, value]) => value);
    return {
      curl: curlOf("POST", `/api/queues/${inPath(queue)}/pause`, told.length ? text(Object.fromEntries(told)) : undefined),
      Python: python(`app.pause(${[text(queue), ...told.map(([name, value]) => `${name}=${text(value)}`)].join(", ")})`),
      boltq: ["boltq queues pause", quoted(queue), ...told.map(([name, value]) => `--${name} ${quoted(value)}`)].join(" "),
    };
  },
  resume: (queue) => ({ curl: curlOf("POST", `/api/queues/${inPath(queue)}/resume`), Python: python(`app.resume(${text(queue)})`), boltq: `boltq queues resume ${quoted(queue)}` }),
  /** `told`: the settings that are set, each a number, or null for the default again. */
  set: (queue, told) => ({
    curl: curlOf("PATCH", `/api/queues/${inPath(queue)}`, text(told)),
    Python: python(`app.configure(${[text(queue), ...Object.entries(told).map(([name, value]) => `${name}=${value ?? "None"}`)].join(", ")})`),
    boltq: `boltq queues set ${[quoted(queue), ...Object.entries(told).map(([name, value]) => `${name}=${value ?? ""}`)].join(" ")}`,
  }),
  drop: (queue) => ({ curl: curlOf("DELETE", `/api/queues/${inPath(queue)}`), Python: python(`app.drop_queue(${text(queue)})`), boltq: `boltq queues delete ${quoted(queue)}` }),
};

/** Do something to all jobs of a queue that a filter means. */
export function operationSnippets(action, queue, { state, ...filter }, expected) {
  const told = Object.entries(filter).filter(([, value]) => value);
  const flags = [`--queue ${quoted(queue)}`, ...told.map(([name, value]) => `--${name} ${quoted(value)}`), `--expect ${expected}`].join(" ");
  const moments = told.map(([name, value]) => `, ${name}=${["since", "until"].includes(name) ? `datetime.fromisoformat(${text(value)})` : text(value)}`).join("");
  const call = `app.start_operation(${text(action)}, ${text(state)}, queue=${text(queue)}, expected=${expected}${moments})`;
  return {
    curl: curlOf("POST", "/api/operations", text({ action, queue, filter: { state, ...Object.fromEntries(told) }, expected_count: expected })),
    Python: python(call).replace("from boltq", filter.since || filter.until ? "from datetime import datetime\n\nfrom boltq" : "from boltq"),
    boltq: `boltq operations begin ${action} ${state} ${flags}`,
  };
}

export const stopSnippets = (id) => ({ curl: curlOf("POST", `/api/operations/${inPath(id)}/stop`), Python: python(`app.stop_operation(${text(id)})`), boltq: `boltq operations stop ${quoted(id)}` });

/** Ask something of a worker: quiet, stop or resume. */
export const workerSnippets = (id, word) => ({
  curl: curlOf("POST", `/api/workers/${encodeURIComponent(id)}/${word}`),
  Python: python(`app.${word}_worker(${text(id)})`),
  boltq: `boltq workers ${word} ${quoted(id)}`,
});

/** Tabs of one snippet each, with a button to copy it. */
export function Snippets({ of }) {
  const kinds = Object.keys(of).filter((kind) => of[kind]);
  const [chosen, choose] = useState(kinds[0]);
  const kind = kinds.includes(chosen) ? chosen : kinds[0];
  return html`<div class="snippets">
    <div class="tabs" role="group" aria-label=${t("The same in another form")}>
      ${kinds.map((each) => html`<button key=${each} type="button" aria-pressed=${each === kind} class=${each === kind ? "chosen" : ""} onClick=${() => choose(each)}>${each}</button>`)}
      <${Copy} text=${of[kind]} what=${t("as {kind}", { kind })} />
    </div>
    <pre tabindex="0">${of[kind]}</pre>
  </div>`;
}

/** Snippets to be opened by who wants them. */
export const Elsewhere = ({ of }) => html`<details><summary>${t("The same elsewhere")}</summary><${Snippets} of=${of} /></details>`;

/** The actions of a screen, one of which is shown: `all` are [name, words, snippets]. */
export function Actions({ all }) {
  const [chosen, choose] = useState("");
  const one = all.find(([name]) => name === chosen) ?? all[0];
  return html`<${Card} title=${t("The same elsewhere")} aside=${html`<select aria-label=${t("What is done")} value=${one[0]} onChange=${(event) => choose(event.target.value)}>${all.map(([name, words]) => html`<option key=${name} value=${name}>${words}</option>`)}</select>`}>
    <${Snippets} of=${one[2]} /><//>`;
}

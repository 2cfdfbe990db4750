// The page of the API's document: it shows each operation and tries it. No library, nothing from
// elsewhere, and whatever comes from the document or an answer is put in as text. What the document
// says is English; the page's own words are in the language that was chosen.

import { language, t } from "./words.js";

const root = location.pathname.replace(/\/api\/docs\/?$/, "");
const $ = (id) => document.getElementById(id);
let api;

/** Make an element; `told` are its properties, what follows is put into it. */
function make(name, told, ...inside) {
  const element = Object.assign(document.createElement(name), told);
  element.append(...inside.filter((each) => each !== null && each !== ""));
  return element;
}

/** A text of the document, with `code` between backticks. */
function prose(text, className = "") {
  const parts = String(text ?? "").split("`");
  return make("span", { className, lang: "en" }, ...parts.map((part, i) => (i % 2 ? make("code", {}, part) : part)));
}

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** JSON with blanks between its parts, and each part as it was written: 1.0 stays 1.0. */
function laidOut(text) {
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  const parts = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  return parts.map((part, i) => {
    if (part === "{" || part === "[") {
      depth += 1;
      return "}]".includes(parts[i + 1]) ? part : part + line();
    }
    if (part === "}" || part === "]") {
      depth -= 1;
      return "{[".includes(parts[i - 1]) ? part : line() + part;
    }
    if (part === ",") return part + line();
    return part === ":" ? ": " : part;
  }).join("");
}

/** What a `$ref` leads to, or the thing itself. */
function found(thing) {
  if (!thing?.$ref) return thing ?? {};
  return thing.$ref.slice(2).split("/").reduce((inside, name) => inside[name], api);
}

// -- schemas

function kindOf(schema) {
  const told = found(schema);
  if (told.enum) return told.enum.map((each) => JSON.stringify(each)).join(" | ");
  if ("const" in told) return JSON.stringify(told.const);
  if (told.anyOf) return told.anyOf.map(kindOf).join(` ${t("or")} `);
  if (told.type === "array") return t("array of {kind}", { kind: kindOf(told.items) });
  const kind = [told.type ?? t("any JSON")].flat().join(` ${t("or")} `);
  return told.format ? `${kind}, ${told.format}` : kind;
}

/** The schema whose members are worth showing: of an array its items, of `or null` the other. */
function core(schema) {
  const told = found(schema);
  if (told.type === "array") return core(told.items);
  if (told.anyOf) return core(told.anyOf[0]);
  if (typeof told.additionalProperties === "object") return core(told.additionalProperties);
  return told;
}

function members(schema, depth = 0) {
  const told = core(schema);
  const names = Object.keys(told.properties ?? {});
  if (!names.length || depth > 3) return null;
  return make("ul", { className: "members" }, ...names.map((name) => {
    const member = told.properties[name];
    const standard = found(member).default;
    return make("li", {},
      make("span", { className: "member" }, name),
      make("span", { className: "type" }, kindOf(member)),
      told.required?.includes(name) && told.additionalProperties === false
        ? make("span", { className: "must" }, t("required")) : null,
      prose(found(member).description, "told"),
      standard === undefined ? null : make("span", { className: "told" }, `${t("by default")} `, make("code", {}, JSON.stringify(standard))),
      members(member, depth + 1));
  }));
}

// -- one operation

function parameterList(parameters) {
  return make("ul", { className: "members" }, ...parameters.map((each) =>
    make("li", {},
      make("span", { className: "member" }, each.name),
      make("span", { className: "type" }, `${each.in}, ${kindOf(each.schema)}`),
      each.required ? make("span", { className: "must" }, t("required")) : null,
      prose(each.description, "told"))));
}

function answer(status, response) {
  const told = found(response);
  const [media, content] = Object.entries(told.content ?? {})[0] ?? [];
  const examples = Object.values(content?.examples ?? {});
  const good = status < 400;
  const title = make("summary", {},
    make("span", { className: `status ${good ? "good" : "bad"}` }, status), prose(told.description));
  const headers = Object.keys(told.headers ?? {}).map((name) => make("code", {}, name));
  return make("details", { className: "answer" }, title,
    media ? prose(`\`${media}\``, "told") : null,
    headers.length ? make("span", { className: "told" }, `${t("Headers")} `, ...headers.flatMap((one) => [one, " "])) : null,
    content ? members(content.schema) : null,
    ...examples.flatMap((each) => [
      make("h3", { lang: "en" }, each.summary),
      each.description ? make("p", { className: "quiet", lang: "en" }, each.description) : "",
      make("pre", { tabIndex: 0 }, pretty(each.value))]));
}

function described(operation, parameters) {
  const body = operation.requestBody;
  const schema = Object.values(body?.content ?? {})[0]?.schema;
  const statuses = Object.entries(operation.responses);
  const good = statuses.filter(([status]) => status < 400);
  const bad = statuses.filter(([status]) => status >= 400);
  return make("div", {},
    make("p", {}, prose(operation.description)),
    ...(parameters.length ? [make("h3", {}, t("Parameters")), parameterList(parameters)] : []),
    ...(schema ? [make("h3", {}, t("Body: {kind}", { kind: kindOf(schema) })), members(schema)] : []),
    make("h3", {}, t("Answers")), ...good.map(([status, told]) => answer(status, told)),
    make("details", { className: "refusals" },
      make("summary", {}, make("h3", {}, t("Refusals")), bad.map(([status]) => status).join(" ")),
      ...bad.map(([status, told]) => answer(status, told))));
}

/** The examples of an operation by name: what each gives the parameters and the body. */
function examplesOf(operation, parameters) {
  const all = new Map();
  const of = (name, summary) => {
    if (!all.has(name)) all.set(name, { name, summary, values: {}, body: "", media: "" });
    return all.get(name);
  };
  for (const [media, content] of Object.entries(operation.requestBody?.content ?? {})) {
    for (const [name, each] of Object.entries(content.examples ?? {})) {
      const example = of(name, each.summary);
      example.body ||= pretty(each.value);
      example.media ||= media;
    }
  }
  for (const parameter of parameters) {
    for (const [name, each] of Object.entries(parameter.examples ?? {})) {
      of(name, each.summary).values[parameter.name] = each.value;
    }
  }
  return [...all.values()];
}

// -- trying it

/** What is to be sent: method, address, headers and body, as fetch and curl take them. */
function request(method, path, parameters, fields, media) {
  const query = new URLSearchParams();
  const headers = {};
  for (const { name, in: place } of parameters) {
    const value = fields[name].value;
    if (value === "" && place !== "path") continue;
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value).replaceAll("%3A", ":"));
    if (place === "query") query.append(name, value);
    if (place === "header") headers[name] = value;
  }
  const body = fields[" body"]?.value;
  if (body) headers["Content-Type"] = media;
  if ($("key").value) headers.Authorization = `Bearer ${$("key").value}`;
  const asked = query.size ? `?${query}` : "";
  return { method, url: location.origin + root + path + asked, headers, body: body || undefined };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same request for a shell; the key stays out of it. */
function curl({ method, url, headers, body }) {
  const lines = Object.entries(headers).map(([name, value]) =>
    `-H ${name === "Authorization" ? '"Authorization: Bearer $BOLTQ_KEY"' : quoted(`${name}: ${value}`)}`);
  if (body) lines.push(`--data-binary ${quoted(body)}`);
  return [`curl -i${method === "GET" ? "" : ` -X ${method}`} ${quoted(url)}`, ...lines].join(" \\\n  ");
}

async function send(asked, came) {
  const began = performance.now();
  try {
    const { url, ...told } = asked;
    const response = await fetch(url, { ...told, cache: "no-store", credentials: "omit" });
    const text = await response.text();
    const took = Math.round(performance.now() - began);
    const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    const body = /json/.test(response.headers.get("Content-Type")) ? laidOut(text) : text;
    came.replaceChildren(
      make("p", {},
        make("span", { className: `status ${response.ok ? "good" : "bad"}` }, String(response.status)),
        t("{status} in {took} ms", { status: response.statusText, took })),
      make("pre", { tabIndex: 0 }, headers),
      body ? make("pre", { tabIndex: 0 }, body) : "");
  } catch (problem) {
    came.replaceChildren(make("p", { className: "status bad" }, t("There was no answer: {why}", { why: problem.message })));
  }
}

const SELDOM = ["X-Request-Id", "If-None-Match", "traceparent", "tracestate"];

function field(label, input, tall = false) {
  return make("label", { className: tall ? "tall" : "" }, make("span", { className: "mono" }, label), input);
}

function form(method, path, operation, parameters) {
  const examples = examplesOf(operation, parameters);
  const fields = {};
  let media = "application/json";
  const choice = make("select", {}, ...examples.map((each) => make("option", { value: each.name, lang: "en" }, each.summary)));
  for (const parameter of parameters) {
    fields[parameter.name] = make("input", { required: parameter.required, spellcheck: false, className: "mono" });
  }
  if (operation.requestBody) fields[" body"] = make("textarea", { spellcheck: false });
  const line = make("pre", { tabIndex: 0 });
  const came = make("div", { className: "came", ariaLive: "polite" });
  const button = make("button", { className: "send", type: "submit" }, t("Send"));
  const copy = make("button", { type: "button" }, t("Copy the curl line"));
  const labelled = (each) => field(each.name, fields[each.name]);
  const asked = () => request(method, path, parameters, fields, media);
  const show = () => { line.textContent = curl(asked()); };
  const fill = () => {
    const example = examples.find((each) => each.name === choice.value);
    for (const parameter of parameters) fields[parameter.name].value = example?.values[parameter.name] ?? "";
    if (fields[" body"]) {
      fields[" body"].value = example?.body ?? "";
      fields[" body"].rows = Math.min(20, fields[" body"].value.split("\n").length + 1);
    }
    media = example?.media || "application/json";
    show();
  };
  choice.addEventListener("change", fill);
  copy.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(line.textContent);
    copy.textContent = t("Copied");
    setTimeout(() => { copy.textContent = t("Copy the curl line"); }, 1500);
  });
  const element = make("form", { className: "try" },
    make("h3", {}, t("Try it")),
    examples.length > 1 ? field(t("example"), choice) : null,
    ...parameters.filter((each) => !SELDOM.includes(each.name)).map(labelled),
    make("details", {}, make("summary", { className: "quiet" }, t("More headers")),
      ...parameters.filter((each) => SELDOM.includes(each.name)).map(labelled)),
    fields[" body"] ? field(t("body"), fields[" body"], true) : null,
    make("div", { className: "buttons" }, button, copy),
    came, line);
  element.addEventListener("input", show);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await send(asked(), came);
    button.disabled = false;
  });
  $("key").addEventListener("input", show);
  fill();
  return element;
}

// -- the page

function operationElement(method, path, operation) {
  const parameters = operation.parameters.map(found);
  const scope = operation.security.length ? operation.security[0].key[0] : "open";
  const element = make("details", { className: "operation", id: operation.operationId },
    make("summary", {},
      make("span", { className: `method ${method.toLowerCase()}` }, method),
      make("span", { className: "path" }, path),
      make("span", { className: "what", lang: "en" }, operation.summary),
      make("span", { className: "scope", title: t("the scope that it needs") }, scope)));
  // Built when it is first opened: there are many.
  element.addEventListener("toggle", () => {
    if (!element.open || element.children.length > 1) return;
    element.append(make("div", { className: "inside", lang: language },
      described(operation, parameters), form(method, path, operation, parameters)));
  });
  return element;
}

/** What is there before the document is: a bar at the top, and a place for each part. */
function frame() {
  const find = make("input", { id: "find", type: "search", placeholder: t("claim, dead, /api/jobs") });
  const key = make("input", { id: "key", type: "password", autocomplete: "off", spellcheck: false, placeholder: t("if the API asks for one") });
  const form = make("form", { className: "key" }, make("label", { htmlFor: "key" }, t("Key")), key);
  const mark = make("img", { className: "bolt", src: new URL("mark.svg", import.meta.url).href, alt: "", width: 24, height: 24 });
  document.body.append(
    make("a", { className: "skip", href: "#main" }, t("Skip to the operations")),
    make("header", { className: "top" },
      make("a", { className: "name", href: "../", title: t("Back to the queues") }, mark, " BoltQ ", make("small", { id: "version" })),
      form,
      make("a", { className: "raw", href: "openapi.json" }, "openapi.json")),
    make("div", { className: "page" },
      make("nav", { id: "nav", ariaLabel: t("Operations") }, make("label", { className: "find" }, `${t("Find")} `, find)),
      make("main", { id: "main", tabIndex: -1 }, make("h1", {}, t("The HTTP API")), make("p", { id: "about", className: "about" }, t("Reading the document of the API…")))));
  form.addEventListener("submit", (event) => event.preventDefault());
}

function show() {
  $("version").textContent = api.info.version;
  $("about").replaceChildren(prose(api.info.description));
  for (const tag of api.tags) {
    const list = make("ul", {});
    const section = make("section", { lang: "en" }, make("h2", {}, tag.name), make("p", { className: "quiet" }, tag.description));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (!operation.tags.includes(tag.name)) continue;
        section.append(operationElement(method.toUpperCase(), path, operation));
        list.append(make("li", {}, make("a", { href: `#${operation.operationId}` }, operation.summary)));
      }
    }
    $("main").append(section);
    $("nav").append(make("section", { lang: "en" }, make("h2", {}, tag.name), list));
  }
}

/** Open what the address names. */
function goTo() {
  const named = $(decodeURIComponent(location.hash.slice(1)));
  if (!named?.classList.contains("operation")) return;
  named.open = true;
  named.scrollIntoView();
  named.querySelector("summary").focus({ preventScroll: true });
}

function find() {
  const wanted = $("find").value.toLowerCase();
  for (const section of document.querySelectorAll("main > section")) {
    let any = false;
    for (const each of section.querySelectorAll(".operation")) {
      each.hidden = !each.firstChild.textContent.toLowerCase().includes(wanted);
      any ||= !each.hidden;
    }
    section.hidden = !any;
  }
}

frame();
try {
  api = await (await fetch("openapi.json")).json();
  show();
  goTo();
  addEventListener("hashchange", goTo);
  $("find").addEventListener("input", find);
} catch (problem) {
  $("about").textContent = t("The document of the API could not be read: {why}", { why: problem.message });
}

// The one place that speaks to the API.

import { secret } from "./kept.js";
import { signal } from "./html.js";
import { t } from "./words.js";

/** Where the API is: the page lies at its root, also behind a proxy with a path of its own. */
export const ROOT = location.origin + location.pathname.replace(/[^/]*$/, "").replace(/\/$/, "");

/** True while the API asks for a key that we have not. */
export const isLocked = signal(false);

/** A refusal: the status, the word and the sentence of the problem that was answered. */
export class Refused extends Error {
  constructor(status, told, retryAfter = 0) {
    super(told.detail || t("the API answered {status}", { status }));
    Object.assign(this, { status, word: told.word ?? "", told, retryAfter });
  }
}

/** Nobody answered. */
export class Away extends Error {
  constructor() { super(t("the API does not answer")); this.status = 0; }
}

export function headersOf(body, more = {}) {
  const headers = { ...more };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (secret.value) headers.Authorization = `Bearer ${secret.value}`;
  return headers;
}

/**
 * Send a request: `body` is JSON as text, or a value that is written as such. Answers the status, the
 * tag, the text as it came, and `json()`. Throws Refused or Away.
 */
export async function ask(method, path, body, more = {}) {
  const headers = headersOf(body, more.headers);
  // What is done here is meant for the job as it stands: see BOLTQ_API_IF_MATCH.
  if (method === "PATCH" || method === "DELETE") headers["If-Match"] ??= "*";
  const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  let response;
  let text;
  try {
    response = await fetch(ROOT + path, {
      method, body: sent, headers, cache: "no-store",
      credentials: "omit", signal: more.signal,
    });
    text = await response.text();
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Away();
  }
  // What is open to all says nothing of the key.
  if (response.status === 401) isLocked.value = true;
  else if (response.ok && path.startsWith("/api/")) isLocked.value = false;
  if (!response.ok && response.status !== 304) throw refusal(response, text);
  return {
    status: response.status, text, tag: response.headers.get("ETag") ?? "",
    location: response.headers.get("Location") ?? "", json: () => (text ? JSON.parse(text) : null),
  };
}

function refusal(response, text) {
  let told = {};
  try { told = JSON.parse(text); } catch { /* a proxy's page, say */ }
  return new Refused(response.status, told, Number(response.headers.get("Retry-After")) || 0);
}

export const get = (path, more) => ask("GET", path, undefined, more);
export const post = (path, body, more) => ask("POST", path, body, more);

/** A path with a query of what is not empty. */
export function withQuery(path, told) {
  const query = new URLSearchParams(Object.entries(told).filter(([, value]) => value !== "" && value != null));
  return query.size ? `${path}?${query}` : path;
}

/** An id or a name in a path. */
export const inPath = (name) => encodeURIComponent(name).replaceAll("%3A", ":");

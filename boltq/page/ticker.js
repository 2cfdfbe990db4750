// What happened, the newest first: as the queue tells it, or as this page saw it.

import { inPath, withQuery } from "./ask.js";
import { html, useEffect, useMemo, useState } from "./html.js";
import { may, nowMs } from "./live.js";
import { act, Button, Card, State, STATES, Time } from "./parts.js";
import { Poll } from "./poll.js";
import { to } from "./route.js";
import { many, number } from "./shown.js";
import { t } from "./words.js";

const MOST = 60;
const BEFORE_MS = 120_000;
const KEEP_EVENTS = 1000;

/** Follow the feed of a queue: { events, keeps }, where `keeps` is 0 if the queue keeps none. */
export function useFeed(queue) {
  const [told, tell] = useState({ queue, events: [], keeps: null });
  const poll = useMemo(() => {
    let last = `${Math.max(0, Math.floor(nowMs() - BEFORE_MS))}-0`;
    return new Poll(() => withQuery("/api/events", { queue, after: last, limit: 200 }), {
      every: 1,
      slowest: 3,
      then: (feed) => {
        if (feed.events.length) last = feed.last;
        const news = feed.events.flatMap(rows).reverse();
        tell((before) => ({ queue, keeps: feed.keep_events, events: [...news, ...(before.queue === queue ? before.events : [])].slice(0, MOST) }));
      },
    });
  }, [queue]);
  useEffect(() => {
    poll.start();
    return () => poll.stop();
  }, [poll]);
  return told.queue === queue ? { ...told, look: () => poll.look() } : { events: [], keeps: null, look: () => poll.look() };
}

/** One event as rows: one for each state that jobs came to. */
function rows(event) {
  const each = Object.entries(event.jobs);
  if (!each.length) return [{ key: event.id, at: event.at, verb: event.verb, state: "", count: 0, ids: [] }];
  return each.map(([state, came]) => ({ key: `${event.id} ${state}`, at: event.at, verb: event.verb, state, count: came.count, ids: came.ids }));
}

function Told({ one }) {
  return html`<li><span class="quiet num"><${Time} at=${one.at} as="local" /></span>
    ${STATES.includes(one.state) ? html`<${State} name=${one.state} />` : html`<span class="tag">${one.state || one.verb}</span>`}
    <span class="clip"><b>${one.verb}</b> ${one.count > 0 && html`<span class="quiet">${many(one.count, "{n} job", "{n} jobs")}:</span>`} ${one.ids.slice(0, 3).map((id) => html`<a key=${id} class="link mono" href=${to("jobs", id)}>${id.replace(/^.*\d{14}-/, "")}</a> `)}${one.count > 3 && html`<span class="quiet">${many(one.count - 3, "and {n} other", "and {n} others")}</span>`}</span></li>`;
}

function Seen({ one }) {
  return html`<li><span class="quiet num"><${Time} at=${one.at} as="local" /></span><${State} name=${one.to} />
    <span class="clip"><a class="link" href=${to("jobs", one.id)}>${one.type}</a> <span class="quiet">${one.note}</span></span></li>`;
}

export function Ticker({ queue, seen }) {
  const feed = useFeed(queue);
  const isFeed = feed.keeps > 0;
  const keep = async () => {
    await act("PATCH", `/api/queues/${inPath(queue)}`, { keep_events: isFeed ? null : KEEP_EVENTS }, isFeed ? t("{queue} keeps no events.", { queue }) : t("{queue} keeps its last {n} events.", { queue, n: number(KEEP_EVENTS) }));
    feed.look();
  };
  const shown = isFeed ? feed.events : seen;
  return html`<${Card} title=${t("What happened")} aside=${html`<span>${isFeed ? t("as the queue tells it") : t("as this page saw it")}</span>
      ${feed.keeps !== null && may("admin") && html`<${Button} kind="small" onClick=${keep}>${isFeed ? t("Keep no events") : t("Let the queue tell")}<//>`}`}>
    ${shown.length ? html`<ol class="ticker" tabindex="0" aria-label=${t("What happened")}>${shown.map((one) => (isFeed ? html`<${Told} key=${one.key} one=${one} />` : html`<${Seen} key=${one.key} one=${one} />`))}</ol>`
    : html`<p class="body quiet">${t("Enqueue something, or play a scene.")}</p>`}
  <//>`;
}

// The chart of what came and what was done, with its figures in words for who does not see it.

import { withQuery } from "./ask.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./html.js";
import { clock, span, theme } from "./kept.js";
import { nowMs, overview, past } from "./live.js";
import { Card, Choice } from "./parts.js";
import { Poll } from "./poll.js";
import { number, rate, timeOfDay } from "./shown.js";
import { t } from "./words.js";

const HEIGHT = 168;
const LIVE_SECONDS = 300;
const MINUTE_MS = 60_000;
const MOST_QUEUES = 12;
const LABEL_PX = 52;

/** How far back: its minutes, and how often it is looked at, in seconds. */
const SPANS = { live: { minutes: 7, every: 30 }, hour: { minutes: 60, every: 20 }, day: { minutes: 1440, every: 60 } };

const SAID = { live: t("jobs a second now"), hour: t("in all of the last hour"), day: t("in all of the last day") };

/** Each line: its word, the totals of the snapshot, the counts of a minute, and its colour. */
const LINES = [
  [t("came"), ["enqueued_total", "replayed_total"], ["enqueued", "replayed"], "--queued"],
  [t("done"), ["completed_total"], ["completed"], "--completed"],
  [t("failed"), ["failed_total", "lost_total"], ["failed", "lost"], "--retrying"],
];
const sum = (counts, names) => names.reduce((all, name) => all + (counts?.[name] ?? 0), 0);

/** Columns of time and of jobs a second, from one look at the server to the next. */
export function looked(kept, of) {
  const columns = [[], ...LINES.map(() => [])];
  for (let i = 1; i < kept.length; i += 1) {
    const seconds = (kept[i].at - kept[i - 1].at) / 1000;
    if (seconds <= 0) continue;
    columns[0].push(kept[i].at / 1000);
    LINES.forEach(([, totals], line) => {
      columns[line + 1].push(Math.max(0, (sum(of(kept[i]), totals) - sum(of(kept[i - 1]), totals)) / seconds));
    });
  }
  return columns;
}

/** Columns of the minutes of some queues together: jobs in each, as many a second if `isRate`. */
export function counted(series, minutes, isRate, now) {
  const first = Math.floor(now / MINUTE_MS) - minutes + 1;
  const columns = [[], ...LINES.map(() => [])];
  const all = Array.from({ length: minutes }, () => LINES.map(() => 0));
  for (const told of series) {
    for (const minute of told?.minutes ?? []) {
      const at = Math.floor(new Date(minute.at).getTime() / MINUTE_MS) - first;
      if (at >= 0 && at < minutes) LINES.forEach(([, , names], line) => { all[at][line] += sum(minute, names); });
    }
  }
  all.forEach((counts, i) => {
    columns[0].push(((first + i) * MINUTE_MS + (isRate ? MINUTE_MS / 2 : 0)) / 1000);
    counts.forEach((count, line) => columns[line + 1].push(isRate ? count / 60 : count));
  });
  return columns;
}

/** The minutes before this page looked for itself, then its own looks. */
export function joined(before, own) {
  const until = own[0][0] ?? Infinity;
  const many = before[0].filter((at) => at < until - 5).length;
  return before.map((column, i) => [...column.slice(0, many), ...own[i]]);
}

/** Look at the minutes of some queues as long as the chart is there. */
function useSeries(queues, { minutes, every }) {
  const key = `${minutes} ${queues.join(" ")}`;
  const polls = useMemo(() => queues.map((queue) => new Poll(withQuery("/api/series", { queue, minutes }), { every, slowest: every * 2 })), [key]);
  useEffect(() => {
    polls.forEach((poll) => poll.start());
    return () => polls.forEach((poll) => poll.stop());
  }, [polls]);
  return polls.map((poll) => poll.value.value);
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Whether a label in the middle below a time would not end within the chart. */
const isCut = (plot, at) => plot.valToPos(at, "x") > plot.bbox.width / devicePixelRatio - LABEL_PX / 2 + 8;

function optionsOf(width, isLive) {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px sans-serif" };
  const letters = isLive ? 8 : 5;
  return {
    width, height: HEIGHT, padding: [8, 8, 0, 0], legend: { show: false }, cursor: { y: false, points: { size: 5 } },
    scales: { x: { range: (_plot, first, last) => [isLive ? last - LIVE_SECONDS : first, last] }, y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.15)] } },
    axes: [
      { ...axis, grid: { show: false }, space: 90, size: 26, values: (plot, all) => all.map((one) => (isCut(plot, one) ? "" : timeOfDay(one * 1000, clock.value === "utc", one * 1000).slice(0, letters))) },
      { ...axis, size: 52, space: 36, values: (_plot, all) => all.map((one) => rate(one)) },
    ],
    series: [{}, ...LINES.map(([label, , , name]) => ({ label, stroke: colour(name), width: 1.6, points: { show: false }, fill: name === "--completed" ? `color-mix(in srgb, ${colour(name)} 8%, transparent)` : undefined }))],
  };
}

/** The busiest queues: of more than these the minutes are not added up. */
const busiest = (seen) => [...(seen?.queues ?? [])].sort((a, b) => b.enqueued_total - a.enqueued_total).slice(0, MOST_QUEUES).map((one) => one.queue).sort();

export function Chart({ queue = null }) {
  const room = useRef(null);
  const plot = useRef(null);
  const [maker, setMaker] = useState(null);
  const [at, setAt] = useState(null);
  const chosen = SPANS[span.value] ? span.value : "live";
  const isLive = chosen === "live";
  const queues = queue === null ? busiest(overview.value) : [queue];
  const series = useSeries(queues, SPANS[chosen]);
  const minutes = counted(series, SPANS[chosen].minutes, isLive, nowMs());
  const own = looked(past.value, (one) => (queue === null ? one.total : one.queues[queue]));
  const data = isLive ? joined(minutes, own) : minutes;
  useEffect(() => { import("./vendor/uplot.js").then((come) => setMaker(() => come.default)); }, []);
  useLayoutEffect(() => {
    const place = room.current;
    if (!maker || !place) return undefined;
    const options = optionsOf(place.clientWidth, isLive);
    options.hooks = { setCursor: [(one) => setAt(one.cursor.idx ?? null)] };
    plot.current = new maker(options, data, place);
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height: HEIGHT }));
    sizes.observe(place);
    return () => { sizes.disconnect(); plot.current?.destroy(); plot.current = null; };
  }, [maker, theme.value, clock.value, isLive]);
  useEffect(() => { plot.current?.setData(data); }, [data[0].at(-1), series, chosen]);
  const shown = at ?? data[0].length - 1;
  const figure = (column) => {
    if (isLive || at !== null) return column[shown] === undefined ? "–" : rate(column[shown]);
    return number(column.reduce((all, one) => all + one, 0));
  };
  const missing = queue === null && (overview.value?.queues.length ?? 0) > MOST_QUEUES && !isLive;
  return html`<${Card} title=${isLive ? t("Jobs a second") : t("Jobs a minute")} aside=${html`
      <span class="legend">${LINES.map(([label, , , name], i) => html`<span key=${label} style=${{ "--is": `var(${name})` }}><i></i>${label} <b class="num">${figure(data[i + 1])}</b></span>`)}</span>
      <${Choice} label=${t("How far back")} options=${[["live", t("live")], ["hour", t("hour")], ["day", t("day")]]} value=${chosen} onChange=${(next) => { span.value = next; setAt(null); }} />`}>
    <div class="plot" ref=${room} role="img" aria-label=${`${LINES.map(([label], i) => `${label} ${figure(data[i + 1])}`).join(", ")}, ${SAID[chosen]}`}></div>
    ${missing && html`<p class="under-table">${t("The {n} busiest queues together.", { n: MOST_QUEUES })}</p>`}
  <//>`;
}

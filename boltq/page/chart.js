// The chart of what came and what was done, with its figures in words for who does not see it.

import { html, useEffect, useRef, useState } from "./html.js";
import { clock, theme } from "./kept.js";
import { past } from "./live.js";
import { Card } from "./parts.js";
import { rate, timeOfDay } from "./shown.js";

const HEIGHT = 168;
const SPAN_SECONDS = 300;
const SHORTEST_SECONDS = 60;
const LINES = [
  ["came", ["enqueued_total", "replayed_total"], "--queued"],
  ["done", ["completed_total"], "--completed"],
  ["failed", ["failed_total", "lost_total"], "--retrying"],
];

/** Columns of time and of jobs a second, from one look at the server to the next. */
export function columns(kept, of) {
  const times = [];
  const each = LINES.map(() => []);
  for (let i = 1; i < kept.length; i += 1) {
    const seconds = (kept[i].at - kept[i - 1].at) / 1000;
    if (seconds <= 0) continue;
    times.push(kept[i].at / 1000);
    LINES.forEach(([, names], line) => {
      const grown = names.reduce((all, name) => all + (of(kept[i])?.[name] ?? 0) - (of(kept[i - 1])?.[name] ?? 0), 0);
      each[line].push(Math.max(0, grown / seconds));
    });
  }
  return [times, ...each];
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function optionsOf(width) {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px sans-serif" };
  return {
    width, height: HEIGHT, padding: [8, 8, 0, 0], legend: { show: false }, cursor: { y: false, points: { size: 5 } },
    scales: { x: { range: (_plot, first, last) => [Math.max(last - SPAN_SECONDS, Math.min(first, last - SHORTEST_SECONDS)), last] }, y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.15)] } },
    axes: [{ ...axis, grid: { show: false }, space: 90, size: 26, values: (_plot, all) => all.map((one) => timeOfDay(one * 1000, clock.value === "utc", one * 1000)) }, { ...axis, size: 44, space: 36, values: (_plot, all) => all.map((one) => rate(one)) }],
    series: [{}, ...LINES.map(([label, , name]) => ({ label, stroke: colour(name), width: 1.6, points: { show: false }, fill: name === "--completed" ? `color-mix(in srgb, ${colour(name)} 8%, transparent)` : undefined }))],
  };
}

export function Chart({ queue = null, title = "Jobs a second" }) {
  const room = useRef(null);
  const plot = useRef(null);
  const [maker, setMaker] = useState(null);
  const [at, setAt] = useState(null);
  const data = columns(past.value, (one) => (queue === null ? one.total : one.queues[queue]));
  useEffect(() => { import("./vendor/uplot.js").then((come) => setMaker(() => come.default)); }, []);
  useEffect(() => {
    const place = room.current;
    if (!maker || !place) return undefined;
    const options = optionsOf(place.clientWidth);
    options.hooks = { setCursor: [(one) => setAt(one.cursor.idx ?? null)] };
    plot.current = new maker(options, data, place);
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height: HEIGHT }));
    sizes.observe(place);
    return () => { sizes.disconnect(); plot.current?.destroy(); plot.current = null; };
  }, [maker, theme.value, clock.value]);
  useEffect(() => { plot.current?.setData(data); }, [data[0].at(-1)]);
  const shown = at ?? data[0].length - 1;
  return html`<${Card} title=${title} aside=${html`<span class="legend">${LINES.map(([label, , name], i) => html`<span key=${label} style=${{ "--is": `var(${name})` }}><i></i>${label} <b class="num">${data[i + 1][shown] === undefined ? "–" : rate(data[i + 1][shown])}</b></span>`)}</span>`}>
    <div class="plot" ref=${room} role="img" aria-label="The figures above, over the time that this page is open"></div>
  <//>`;
}

// The lanes: a job is in exactly one of them, and slides over when it moves.

import { html, useLayoutEffect, useRef } from "./html.js";
import { Icon } from "./icons.js";
import { Empty, Since, STATE_WORDS, Until } from "./parts.js";
import { many, short } from "./shown.js";
import { t } from "./words.js";

const LANES = ["scheduled", "queued", "running", "retrying", "completed", "dead"];
const MOST_CHIPS = 8;
const SLIDE_MS = 420;

function below(job) {
  if (job.state === "scheduled" || job.state === "retrying") return t("in {time}", { time: html`<${Until} at=${job.run_at} past=${t("a moment")} />` });
  if (job.state === "running") return t("for {time}", { time: html`<${Since} at=${job.started_at} />` });
  if (job.state === "dead") return job.errors[0]?.message || job.errors[0]?.type || t("dead");
  if (job.state === "completed") return t("{time} ago", { time: html`<${Since} at=${job.finished_at} />` });
  return t("for {time}", { time: html`<${Since} at=${job.run_at ?? job.created_at} />` });
}

/** Let each element with data-slides go from where it was to where it is. */
function useSlides(room) {
  const before = useRef(new Map());
  useLayoutEffect(() => {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frame = room.current?.getBoundingClientRect();
    const seen = new Map();
    for (const element of room.current?.querySelectorAll("[data-slides]") ?? []) {
      const id = element.dataset.slides;
      const { left, top } = element.getBoundingClientRect();
      const here = { x: left - frame.left + room.current.scrollLeft, y: top - frame.top };
      const was = before.current.get(id);
      seen.set(id, here);
      if (isCalm) continue;
      if (was && (Math.abs(was.x - here.x) > 1 || Math.abs(was.y - here.y) > 1)) {
        element.animate([{ transform: `translate(${was.x - here.x}px, ${was.y - here.y}px)`, zIndex: 2 }, { transform: "none" }], { duration: SLIDE_MS, easing: "cubic-bezier(.2, .8, .2, 1)" });
      } else if (!was && before.current.size) {
        element.animate([{ opacity: 0, transform: "scale(.94)" }, { opacity: 1, transform: "none" }], { duration: 200 });
      }
    }
    before.current = seen;
  });
}

export function Board({ jobs, counts, chosen, choose }) {
  const room = useRef(null);
  useSlides(room);
  if (!jobs) return html`<${Empty} icon="clock" title=${t("Looking")} />`;
  return html`<div class="lanes" ref=${room} role="group" aria-label=${t("Jobs by state")} tabindex="0">
    ${LANES.map((lane) => {
      const here = jobs.filter((job) => job.state === lane);
      const rest = Math.max(counts?.[lane] ?? 0, here.length) - Math.min(MOST_CHIPS, here.length);
      return html`<div class="lane ${lane}" key=${lane}>
        <h3><${Icon} name=${lane} size="13" /><span class="clip">${STATE_WORDS[lane]}</span><span class="num">${short(Math.max(counts?.[lane] ?? 0, here.length))}</span></h3>
        ${here.slice(0, MOST_CHIPS).map((job) => html`<button type="button" key=${job.id} data-slides=${job.id} class="chip ${job.id === chosen ? "chosen" : ""}" aria-pressed=${job.id === chosen} onClick=${() => choose(job.id === chosen ? "" : job.id)}>
          <b>${job.type}</b><span class="tries">${job.attempt ? `${job.attempt}/${job.max_attempts}` : ""}</span><small>${below(job)}</small></button>`)}
        ${rest > 0 && html`<p class="more">${many(rest, "and {n} other", "and {n} others")}</p>`}
      </div>`;
    })}
  </div>`;
}

// A list of jobs that is looked at again and does not jump: what is new waits to be asked for.

import { get, withQuery } from "./ask.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { JobTable } from "./jobtable.js";
import { Button, Empty, Problem, attempt } from "./parts.js";
import { usePoll } from "./poll.js";
import { many, number } from "./shown.js";
import { t } from "./words.js";

const PAGE = 50;

/** The jobs of a filter: those that are shown stay where they are until the person asks for others. */
export function useJobs(filter) {
  const path = withQuery("/api/jobs", { ...filter, limit: PAGE });
  // A look through payloads is work for the server: only when asked for. Of other lists what is new waits for a
  // click, so 5 s are soon enough; what the person does is seen at once.
  const poll = usePoll(path, filter.text ? { every: 3600, slowest: 3600 } : { every: 5 });
  const [told, tell] = useState({ path: "", rows: [], newest: [], gone: new Set(), more: null, isMore: false });
  const page = poll.value.value;
  useEffect(() => {
    if (!page) return;
    tell((before) => {
      if (before.path !== path || (!before.rows.length && page.jobs.length)) return fresh(path, page);
      const seen = new Map(page.jobs.map((job) => [job.id, job]));
      const first = before.isMore ? before.rows.slice(0, PAGE) : before.rows;
      // Only as far down as this page has looked does it know that one is gone.
      const gone = new Set(first.filter((job) => !seen.has(job.id) && page.jobs.length < PAGE).map((job) => job.id));
      return { ...before, rows: before.rows.map((job) => seen.get(job.id) ?? job), newest: page.jobs, gone, total: page.total, scanned: before.isMore ? before.scanned : page.scanned };
    });
  }, [page, path]);
  const known = new Set(told.rows.map((job) => job.id));
  const isFresh = told.path === path;
  return {
    rows: isFresh ? told.rows : [], gone: told.gone, isLooking: !isFresh, problem: poll.problem.value,
    newer: isFresh ? told.newest.filter((job) => !known.has(job.id)).length : 0,
    total: told.total, scanned: told.scanned, cursor: isFresh ? told.more : null,
    look: () => poll.look(),
    renew: () => { if (page) tell(fresh(path, page)); poll.look(); },
    async more() {
      const next = await attempt(async () => (await get(withQuery("/api/jobs", { ...filter, limit: PAGE, cursor: told.more }))).json());
      if (next) tell((before) => ({ ...before, rows: [...before.rows, ...next.jobs.filter((job) => !known.has(job.id))], more: next.cursor, isMore: true, scanned: next.scanned, total: next.total }));
    },
  };
}

const fresh = (path, page) => ({ path, rows: page.jobs, newest: page.jobs, gone: new Set(), more: page.cursor, isMore: false, total: page.total, scanned: page.scanned });

/** The list with what stands above and below it. Where there are none `none` is said, and what `hint` there is. */
export function JobList({ list, marked = null, mark = null, hasQueue = true, none = t("No such jobs"), hint = null, label }) {
  const room = useRef(null);
  return html`<div ref=${room}>
    ${list.newer > 0 && html`<button type="button" class="newer" onClick=${list.renew}>${many(list.newer, "{n} newer job: show", "{n} newer jobs: show")}</button>`}
    ${list.problem && html`<div class="body"><${Problem} error=${list.problem} /></div>`}
    ${list.rows.length ? html`<${JobTable} jobs=${list.rows} gone=${list.gone} marked=${marked} mark=${mark} look=${list.look} hasQueue=${hasQueue} label=${label} />`
    : html`<${Empty} icon=${list.isLooking ? "clock" : "search"} title=${list.isLooking ? t("Looking") : none}>${list.cursor ? t("None among the {n} that were looked at so far.", { n: number(list.scanned) }) : !list.isLooking && hint}<//>`}
    ${!list.isLooking && (list.rows.length > 0 || list.cursor) && html`<div class="under-table"><span>${t("{this}; {that}", { this: many(list.rows.length, "{n} job shown", "{n} jobs shown"), that: t("{seen} of {total} looked at", { seen: number(list.scanned ?? 0), total: number(list.total ?? 0) }) })}.</span>
      ${list.cursor ? html`<${Button} kind="small" onClick=${list.more}>${t("Look further")}<//>` : html`<span>${t("That is all.")}</span>`}</div>`}
  </div>`;
}

// Rows that j and k walk through, Enter opens, x marks and r brings back.

import { useLayoutEffect, useRef, useState } from "./html.js";

/** The list of the screen that is shown, if it has one. */
export const walked = { current: null };

/** Let the keys walk through `rows`; answers the key of the row where one is. */
export function useWalk(rows, { key, open, mark = null, again = null }) {
  const [at, go] = useState(null);
  const told = useRef(null);
  told.current = { rows, at };
  // Before the rows are painted: who sees them can press a key.
  useLayoutEffect(() => {
    const here = () => told.current.rows.find((row) => key(row) === told.current.at);
    const mine = {
      step(by) {
        const { rows: all, at: now } = told.current;
        if (!all.length) return;
        const from = all.findIndex((row) => key(row) === now);
        const next = all[Math.max(0, Math.min(all.length - 1, from < 0 ? 0 : from + by))];
        // The next key may come before this one is drawn.
        told.current.at = key(next);
        go(key(next));
        document.querySelector(`[data-row="${CSS.escape(key(next))}"]`)?.scrollIntoView({ block: "nearest" });
      },
      open() { const row = here(); if (row) open(row); },
      mark: mark && (() => { const row = here(); if (row) mark(row); }),
      again: again && (() => { const row = here(); if (row) again(row); }),
    };
    walked.current = mine;
    return () => { if (walked.current === mine) walked.current = null; };
  }, []);
  return at;
}

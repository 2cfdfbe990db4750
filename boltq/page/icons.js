// The page's drawings: strokes on a square of 24, drawn for it.

import { html } from "./html.js";

const PATHS = {
  overview: "M4 5h6v8H4zM14 5h6v4h-6zM14 13h6v6h-6zM4 17h6v2H4z",
  playground: "M6 4v16l13-8z",
  queues: "M4 6h16M4 12h16M4 18h10",
  jobs: "M4 5h16v14H4zM4 10h16M9 10v9",
  workers: "M5 8h14v9H5zM9 8V5h6v3M2.5 11v3M21.5 11v3M9.5 12v1M14.5 12v1",
  operations: "M12 3v4M12 17v4M3 12h4M17 12h4M5.6 5.6l2.9 2.9M15.5 15.5l2.9 2.9M5.6 18.4l2.9-2.9M15.5 8.5l2.9-2.9",
  api: "M8 7l-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14",
  settings: "M4 7h9M17 7h3M13 4.5v5M4 17h3M11 17h9M11 14.5v5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.5l4.5 4.5L19 7",
  pause: "M8 5v14M16 5v14",
  resume: "M7 4.5v15l12-7.5z",
  close: "M6 6l12 12M18 6L6 18",
  menu: "M4 7h16M4 12h16M4 17h16",
  again: "M20 12a8 8 0 1 1-2.5-5.8M20 3v4.5h-4.5",
  forward: "M5 12h14M13 6l6 6-6 6",
  trash: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2",
  warn: "M12 4L2.5 20h19zM12 10v4.5M12 17v.1",
  plus: "M12 5v14M5 12h14",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  keyboard: "M3 7h18v10H3zM7 10.5v.1M11 10.5v.1M15 10.5v.1M8 14h8",
  stop: "M6 6h12v12H6z",
  key: "M8 9a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 10.5L20 4M17 6.5l2.5 2.5",
  // The states: told by shape as well as by colour.
  scheduled: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2",
  queued: "M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14z",
  running: "M8 5v14l11-7z",
  retrying: "M20 12a8 8 0 1 1-2.5-5.8M20 3v4.5h-4.5",
  completed: "M5 12.5l4.5 4.5L19 7",
  cancelled: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM6.5 6.5l11 11",
};
PATHS.dead = "M6 6l12 12M18 6L6 18";
PATHS.skull = "M12 3.5c-4.7 0-8 3.2-8 7.5 0 2.7 1.3 4.7 3.5 5.9V20h9v-3.1c2.2-1.2 3.5-3.2 3.5-5.9 0-4.3-3.3-7.5-8-7.5zM9 11v1M15 11v1M10.5 20v-2.5M13.5 20v-2.5";

/** A drawing; it says nothing to who does not see it, so a word stands beside it. */
export function Icon({ name, size = 16 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;
}

/** The mark of BoltQ. */
export function Mark({ size = 26 }) {
  return html`<svg class="mark" width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="8" />
    <path d="M18.6 4.5 8.2 17.6c-.5.6-.1 1.5.7 1.5h5.2l-1.7 8.1c-.2 1 1 1.6 1.7.8l10.4-13.1c.5-.6.1-1.5-.7-1.5h-5.2l1.7-8.1c.2-1-1.1-1.6-1.7-.8Z" />
  </svg>`;
}

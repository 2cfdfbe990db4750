// The table of screens: whoever adds one writes a line here, and it has its place, its key and its title.

import { Dead } from "./screens/dead.js";
import { Job } from "./screens/job.js";
import { Jobs } from "./screens/jobs.js";
import { Operations } from "./screens/operations.js";
import { Overview } from "./screens/overview.js";
import { Playground } from "./screens/playground.js";
import { Queue } from "./screens/queue.js";
import { Queues } from "./screens/queues.js";
import { Settings } from "./screens/settings.js";
import { Workers } from "./screens/workers.js";
import { html } from "./html.js";
import { t } from "./words.js";

const either = (all, one) => ({ id }) => (id ? html`<${one} id=${id} />` : html`<${all} />`);
const busy = (seen) => (seen ? seen.total.queued + seen.total.running + seen.total.retrying + seen.total.scheduled : 0);

/**
 * name: in the address. key: after g. show: the component, which is given the id that follows the name.
 * count: what stands beside the title. address: of a page that is not one of these screens.
 */
export const groups = [
  [
    { name: "", title: t("Overview"), icon: "overview", key: "o", show: Overview },
    { name: "playground", title: t("Playground"), icon: "playground", key: "p", show: Playground },
  ],
  [
    { name: "queues", title: t("Queues"), icon: "queues", key: "q", show: either(Queues, Queue), count: (seen) => seen?.queues.length },
    { name: "jobs", title: t("Jobs"), icon: "jobs", key: "j", show: either(Jobs, Job), count: busy },
    { name: "dead", title: t("Dead"), icon: "skull", key: "d", show: Dead, count: (seen) => seen?.total.dead, isBad: true },
    { name: "workers", title: t("Workers"), icon: "workers", key: "w", show: Workers, count: (seen) => seen?.workers.filter((one) => one.alive).length },
    { name: "operations", title: t("Operations"), icon: "operations", key: "b", show: Operations },
  ],
  [
    { name: "api", title: "API", icon: "api", key: "a", address: "api/docs" },
    { name: "settings", title: t("Settings"), icon: "settings", key: "s", show: Settings },
  ],
];

export const screens = groups.flat();
export const screenOf = (name) => screens.find((one) => one.name === name && one.show);

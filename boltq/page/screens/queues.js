// Queues: all of them, the longest wait first.

import { html } from "../html.js";
import { overview } from "../live.js";
import { Card, Empty, Head } from "../parts.js";
import { refine, route } from "../route.js";
import { QueueTable, Troubles } from "./overview.js";
import { t } from "../words.js";

export function Queues() {
  const seen = overview.value;
  const wanted = route.value.query.name ?? "";
  const shown = seen?.queues.filter((one) => one.queue.includes(wanted)) ?? [];
  return html`<${Head} title=${t("Queues")} under=${t("The longest wait first: depth says little, the wait is what people feel.")}><//>
    <div class="stack">${seen && html`<${Troubles} seen=${seen} />`}
    <${Card}>
      <div class="filters"><span class="grow"><input data-search type="search" value=${wanted} aria-label=${t("Find a queue")} placeholder=${t("a part of its name")} onInput=${(event) => refine({ name: event.target.value })} /></span></div>
      ${shown.length ? html`<${QueueTable} queues=${shown} most=${200} />` : html`<${Empty} icon="queues" title=${seen ? t("No such queue") : t("Looking")}>${seen && t("A queue is there once a job is enqueued into it.")}<//>`}
    <//></div>`;
}

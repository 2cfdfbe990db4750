// Operations: what was begun on many jobs, by whom, and how far it is.

import { html } from "../html.js";
import { OperationRow } from "../operation.js";
import { Card, Choice, Empty, Head, Problem } from "../parts.js";
import { usePoll } from "../poll.js";
import { refine, route } from "../route.js";
import { t } from "../words.js";

export function Operations() {
  const poll = usePoll("/api/operations", { every: 1.5 });
  const all = poll.value.value?.operations;
  const isWhole = route.value.query.counts === "yes";
  const shown = all?.filter((one) => isWhole || !one.dry_run) ?? [];
  return html`<${Head} title=${t("Operations")} under=${t("What was begun on many jobs at once. It goes on when this page is closed, and after a restart.")}>
      <${Choice} label=${t("Which")} options=${[["no", t("what changed something")], ["yes", t("and what only counted")]]} value=${isWhole ? "yes" : "no"} onChange=${(value) => refine({ counts: value === "yes" ? value : "" })} />
    <//>
    <${Card}>
      ${poll.problem.value && html`<div class="body"><${Problem} error=${poll.problem.value} /></div>`}
      ${shown.length ? html`<div class="operations">${shown.map((one) => html`<${OperationRow} key=${one.id} one=${one} look=${() => poll.look()} />`)}</div>`
      : html`<${Empty} icon="operations" title=${all ? t("Nothing was begun") : t("Looking")}>${t("Mark jobs in a list, or take all that a filter finds: replay, cancel, delete or run them.")}<//>`}
    <//>`;
}

// A payload or a result: as it was written, laid out, and cut where it would hold up the page.

import { html, useMemo, useState } from "./html.js";
import { laidOut } from "./exact.js";
import { Card, Choice, Copy } from "./parts.js";
import { bytes } from "./shown.js";
import { t } from "./words.js";

const FIRST_LETTERS = 12_000;
const COLOURED_LETTERS = 60_000;

function Pieces({ pieces, isColoured }) {
  if (!isColoured) return html`${pieces.map(([, part]) => part).join("")}`;
  return html`${pieces.map(([kind, part], i) => (kind === "mark" ? part : html`<span key=${i} class=${kind}>${part}</span>`))}`;
}

/** `json` is the text of a value; `isBytes` that it is base64 of what is no JSON, `isCut` that the API keeps parts back. */
export function Viewer({ title, json, isBytes = false, none = t("none"), isCut = false }) {
  const [isAll, showAll] = useState(false);
  const [form, choose] = useState("laid");
  const told = useMemo(() => {
    if (json === undefined) return null;
    const most = isAll ? Infinity : FIRST_LETTERS;
    if (form === "raw" || isBytes) return { pieces: [["mark", json.slice(0, most)]], isWhole: json.length <= most };
    return laidOut(json, most);
  }, [json, isAll, form]);
  if (!told) return html`<${Card} title=${title}><p class="body quiet">${none}</p><//>`;
  const size = new Blob([json]).size;
  const save = () => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([json], { type: "application/json" })), download: `${title}.json` });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return html`<${Card} title=${title} kind="viewer" aside=${html`<span>${isBytes ? t("bytes, in base64") : bytes(size)}</span>
      ${json.length > 60 && !isBytes && html`<${Choice} label=${t("How {what} is shown", { what: title })} options=${[["laid", t("laid out")], ["raw", t("as it came")]]} value=${form} onChange=${choose} />`}
      <${Copy} text=${json} what=${title} />`}>
    <pre class="json" tabindex="0"><${Pieces} pieces=${told.pieces} isColoured=${!isAll || json.length < COLOURED_LETTERS} /></pre>
    ${isCut && html`<p class="under-table">${t("Parts of it are shown to nobody: what was set by BOLTQ_REDACT.")}</p>`}
    ${(!told.isWhole || isAll) && html`<div class="rest">${told.isWhole ? html`<span>${t("All {size} of it.", { size: bytes(size) })}</span>` : html`<span>${t("The first {part} of {size}.", { part: bytes(FIRST_LETTERS), size: bytes(size) })}</span><button type="button" class="button small" onClick=${() => showAll(true)}>${t("Show all")}</button>`}
      <button type="button" class="button small" onClick=${save}>${t("Save")}</button></div>`}
  <//>`;
}

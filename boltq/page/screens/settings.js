// Settings: how this browser shows the page. Nothing of it goes to the server but the key.

import { isLocked } from "../ask.js";
import { html } from "../html.js";
import { isHelping } from "../keyboard.js";
import { chosenLanguage, clock, density, everySeconds, person, secret, theme } from "../kept.js";
import { grants, learn, overview, version } from "../live.js";
import { Button, Card, Choice, Head } from "../parts.js";
import { bytes, lasting } from "../shown.js";
import { t } from "../words.js";

/** Each by its own name, for who reads no other. */
const LANGUAGES = [["", t("as the browser asks")], ["en", "English"], ["de", "Deutsch"], ["fr", "Français"], ["es", "Español"]];
const speak = (event) => { chosenLanguage.value = event.target.value; location.reload(); };

const Row = ({ title, note, children }) => html`<div class="setting"><div><p class="strong">${title}</p><p class="quiet small">${note}</p></div><div>${children}</div></div>`;

export function Settings() {
  const server = overview.value?.server ?? {};
  const used = bytes(server.used_memory_bytes ?? 0);
  const set = (kept) => (value) => { kept.value = value; };
  return html`<${Head} title=${t("Settings")} under=${t("How this browser shows the page.")}><//>
    <div class="columns">
      <${Card} title=${t("Look")}><div class="settings">
        <${Row} title=${t("Language")} note=${t("What comes from the server stays English.")}><select data-language aria-label=${t("Language")} value=${chosenLanguage.value} onChange=${speak}>${LANGUAGES.map(([code, name]) => html`<option key=${code} value=${code} lang=${code || undefined}>${name}</option>`)}</select><//>
        <${Row} title=${t("Theme")} note=${t("System follows your computer.")}><${Choice} label=${t("Theme")} options=${[["system", t("system")], ["light", t("light")], ["dark", t("dark")]]} value=${theme.value} onChange=${set(theme)} /><//>
        <${Row} title=${t("Rows")} note=${t("Compact shows more of them.")}><${Choice} label=${t("Rows")} options=${[["comfortable", t("comfortable")], ["compact", t("compact")]]} value=${density.value} onChange=${set(density)} /><//>
        <${Row} title=${t("Times")} note=${t("Point at one to see it in full, in both.")}><${Choice} label=${t("Times")} options=${[["relative", t("{time} ago", { time: "12 s" })], ["local", t("local")], ["utc", "UTC"]]} value=${clock.value} onChange=${set(clock)} /><//>
        <${Row} title=${t("Looks at the server")} note=${t("At least so far apart. Less often when nothing changes, never while the tab is hidden.")}><${Choice} label=${t("Looks at the server")} options=${[[1, "1 s"], [2, "2 s"], [5, "5 s"], [15, "15 s"]]} value=${everySeconds.value} onChange=${set(everySeconds)} /><//>
        <${Row} title=${t("Keys")} note=${t("What can be done without a mouse.")}><${Button} icon="keyboard" onClick=${() => { isHelping.value = true; }}>${t("Show")}<//><//>
      </div><//>
      <div class="stack">
        <${Card} title=${t("Who you are")}><div class="settings">
          <${Row} title=${t("Key")} note=${secret.value ? t("Kept until this tab is closed.") : t("None is given.")}><div class="row"><${Button} icon="key" onClick=${() => { isLocked.value = true; }}>${secret.value ? t("Another") : t("Give one")}<//>${secret.value && html`<${Button} kind="plain" onClick=${() => { secret.value = ""; learn(); }}>${t("Forget it")}<//>`}</div><//>
          <${Row} title=${t("Name")} note=${t("By whom pauses and operations are said to be.")}><input value=${person.value} aria-label=${t("Name")} maxlength="60" onInput=${(event) => { person.value = event.target.value; }} /><//>
          <${Row} title=${t("May")} note=${t("The server decides; the page only hides what it would refuse.")}><span class="row">${(grants.value ?? []).map((one) => html`<span key=${one} class="tag">${one}</span>`)}</span><//>
        </div><//>
        <${Card} title=${t("The server")}><dl class="facts body">
          <dt>${t("server")}</dt><dd>${server.name} ${server.version}</dd><dt>${t("address")}</dt><dd class="mono">${server.address}</dd>
          <dt>${t("up")}</dt><dd>${lasting(server.uptime_seconds)}</dd><dt>${t("memory")}</dt><dd>${server.max_memory_bytes ? t("{used} of {most}", { used, most: bytes(server.max_memory_bytes) }) : t("{used}, without a bound", { used })}</dd><dt>BoltQ</dt><dd>${version.value}</dd>
        </dl><//>
      </div>
    </div>`;
}

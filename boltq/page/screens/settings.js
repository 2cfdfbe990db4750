// Settings: how this browser shows the page. Nothing of it goes to the server but the key.

import { isLocked } from "../ask.js";
import { html } from "../html.js";
import { isHelping } from "../keyboard.js";
import { clock, density, everySeconds, person, secret, theme } from "../kept.js";
import { grants, learn, overview, version } from "../live.js";
import { Button, Card, Choice, Head } from "../parts.js";
import { bytes, lasting } from "../shown.js";

const Row = ({ title, note, children }) => html`<div class="setting"><div><p class="strong">${title}</p><p class="quiet small">${note}</p></div><div>${children}</div></div>`;

export function Settings() {
  const server = overview.value?.server ?? {};
  const set = (kept) => (value) => { kept.value = value; };
  return html`<${Head} title="Settings" under="How this browser shows the page."><//>
    <div class="columns">
      <${Card} title="Look"><div class="settings">
        <${Row} title="Theme" note="System follows your computer."><${Choice} label="Theme" options=${[["system", "system"], ["light", "light"], ["dark", "dark"]]} value=${theme.value} onChange=${set(theme)} /><//>
        <${Row} title="Rows" note="Compact shows more of them."><${Choice} label="Rows" options=${[["comfortable", "comfortable"], ["compact", "compact"]]} value=${density.value} onChange=${set(density)} /><//>
        <${Row} title="Times" note="Point at one to see it in full, in both."><${Choice} label="Times" options=${[["relative", "12 s ago"], ["local", "local"], ["utc", "UTC"]]} value=${clock.value} onChange=${set(clock)} /><//>
        <${Row} title="Looks at the server" note="At least so far apart. Less often when nothing changes, never while the tab is hidden."><${Choice} label="Looks at the server" options=${[[1, "1 s"], [2, "2 s"], [5, "5 s"], [15, "15 s"]]} value=${everySeconds.value} onChange=${set(everySeconds)} /><//>
        <${Row} title="Keys" note="What can be done without a mouse."><${Button} icon="keyboard" onClick=${() => { isHelping.value = true; }}>Show<//><//>
      </div><//>
      <div class="stack">
        <${Card} title="Who you are"><div class="settings">
          <${Row} title="Key" note=${secret.value ? "Kept until this tab is closed." : "None is given."}><div class="row"><${Button} icon="key" onClick=${() => { isLocked.value = true; }}>${secret.value ? "Another" : "Give one"}<//>${secret.value && html`<${Button} kind="plain" onClick=${() => { secret.value = ""; learn(); }}>Forget it<//>`}</div><//>
          <${Row} title="Name" note="By whom pauses and operations are said to be."><input value=${person.value} aria-label="Name" maxlength="60" onInput=${(event) => { person.value = event.target.value; }} /><//>
          <${Row} title="May" note="The server decides; the page only hides what it would refuse."><span class="row">${(grants.value ?? []).map((one) => html`<span key=${one} class="tag">${one}</span>`)}</span><//>
        </div><//>
        <${Card} title="The server"><dl class="facts body">
          <dt>server</dt><dd>${server.name} ${server.version}</dd><dt>address</dt><dd class="mono">${server.address}</dd>
          <dt>up</dt><dd>${lasting(server.uptime_seconds)}</dd><dt>memory</dt><dd>${bytes(server.used_memory_bytes ?? 0)}${server.max_memory_bytes ? ` of ${bytes(server.max_memory_bytes)}` : ", without a bound"}</dd><dt>BoltQ</dt><dd>${version.value}</dd>
        </dl><//>
      </div>
    </div>`;
}

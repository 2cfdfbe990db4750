// What the browser remembers of this page: choices for ever, the key until the tab is closed.

import { effect, signal } from "./html.js";

/** A signal that is remembered under a name; a browser that refuses to is no error. */
function remembered(name, otherwise, place = "localStorage") {
  let before = null;
  try { before = JSON.parse(window[place].getItem(`boltq.${name}`)); } catch { /* as if never chosen */ }
  const kept = signal(before ?? otherwise);
  effect(() => {
    const value = JSON.stringify(kept.value);
    try { window[place].setItem(`boltq.${name}`, value); } catch { /* it lasts as long as the page */ }
  });
  return kept;
}

/** "system", "light" or "dark". */
export const theme = remembered("theme", "system");
/** "en", "de" and so on, or "" for what the browser asks for; theme.js reads it, so it counts from the next load. */
export const chosenLanguage = remembered("language", "");
/** "comfortable" or "compact". */
export const density = remembered("density", "comfortable");
/** "local", "utc" or "relative". */
export const clock = remembered("clock", "relative");
/** How far back charts go: "live", "hour" or "day". */
export const span = remembered("span", "live");
/** Filters of jobs that were given a name: [{ name, address }]. */
export const views = remembered("views", []);
/** Seconds from one look at the server to the next, at least. */
export const everySeconds = remembered("every", 2);
/** The secret of the API, if it asks for one. */
export const secret = remembered("key", "", "sessionStorage");
/** By whom pauses and operations are said to be. */
export const person = remembered("person", "");

effect(() => { document.documentElement.dataset.theme = theme.value; });
effect(() => { document.documentElement.dataset.density = density.value; });

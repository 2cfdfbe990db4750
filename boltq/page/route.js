// Where the person is: #/jobs?state=dead is a screen and its filter, to go back to and to send on.

import { computed, signal } from "./html.js";

function read() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  let id = rest.join("/");
  try { id = decodeURIComponent(id); } catch { /* as it is written */ }
  return { name, id, query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

export const route = signal(read());
window.addEventListener("hashchange", () => { route.value = read(); });

/** Which screen it is, whatever its filter. */
export const place = computed(() => `${route.value.name}/${route.value.id}`);

/** The address of a screen; what is empty is left out of its query. */
export function to(name, id = "", query = {}) {
  const told = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const rest = told.length ? `?${new URLSearchParams(told)}` : "";
  return `#/${name}${id ? `/${encodeURIComponent(id)}` : ""}${rest}`;
}

export function go(address) { location.hash = address; }

/** Change the filter of this screen, without a step to go back to. */
export function refine(query) {
  const { name, id } = route.peek();
  history.replaceState(null, "", to(name, id, { ...route.peek().query, ...query }));
  route.value = read();
}

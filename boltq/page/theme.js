// What comes when a part of the page does not: where the network of a machine changes, as with each container that
// starts, a browser breaks off what it loads, and a page without a module stays empty. So it is loaded anew, at once
// and then every few seconds.
(() => {
  const SECONDS = 3;
  let isDue = false;
  addEventListener("error", ({ target }) => {
    if (isDue || (target.type !== "module" && target.rel !== "stylesheet")) return;
    isDue = true;
    let isAgain = true;
    try {
      isAgain = sessionStorage.getItem("boltq.loaded") !== null;
      sessionStorage.setItem("boltq.loaded", "part");
    } catch { /* as if it had been so before */ }
    setTimeout(() => location.reload(), isAgain ? SECONDS * 1000 : 0);
  }, true);
  addEventListener("load", () => {
    try { if (!isDue) sessionStorage.removeItem("boltq.loaded"); } catch { /* it was not kept either */ }
  });
})();

// Before the first paint, so that nothing flashes: the theme, the density and the language that were chosen.
(() => {
  const LANGUAGES = ["en", "de", "fr", "es"];
  const kept = (name, otherwise) => { try { return JSON.parse(localStorage.getItem(`boltq.${name}`)) ?? otherwise; } catch { return otherwise; } };
  const root = document.documentElement;
  root.dataset.theme = kept("theme", "system");
  root.dataset.density = kept("density", "comfortable");
  const wanted = [kept("language", ""), ...navigator.languages].map((one) => one.slice(0, 2));
  root.lang = wanted.find((one) => LANGUAGES.includes(one)) ?? "en";
  if (root.lang === "en") return;
  const href = new URL(`words/${root.lang}.js`, document.currentScript.src);
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
})();

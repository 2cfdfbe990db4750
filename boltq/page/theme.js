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

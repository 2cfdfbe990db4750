// Before the first paint, so that nothing flashes: the theme and the density that were chosen.
(() => {
  const kept = (name) => { try { return localStorage.getItem(`boltq.${name}`); } catch { return null; } };
  const root = document.documentElement;
  root.dataset.theme = JSON.parse(kept("theme") ?? '"system"');
  root.dataset.density = JSON.parse(kept("density") ?? '"comfortable"');
})();

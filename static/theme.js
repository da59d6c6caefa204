// Sets the chosen theme before the first paint; without a choice the system's setting rules.
(() => {
  const root = document.documentElement;
  const read = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const chosen = read("theme");
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
})();

// Theme button and keyboard. Everything here has a link or a button that does the same without a script.
//   data-key="a"   the key goes to the element, and opens it when it is a link     data-row   j and k move between these
// One key never signs, sends or stores: what does stands chosen until Enter or a click.
(() => {
  const root = document.documentElement;
  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } };
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const help = document.getElementById("keys");
  const enabled = document.getElementById("keys-on");

  const themeButton = document.querySelector("[data-theme-toggle]");
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { themeButton.textContent = isDark() ? "Use light colours" : "Use dark colours"; };
  if (themeButton) {
    themeButton.hidden = false;
    nameTheme();
    themeButton.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember("theme", root.dataset.theme);
      nameTheme();
    });
  }

  document.querySelectorAll("[data-keys-open]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => help.showModal());
  });
  if (enabled) {
    enabled.checked = recall("keys") !== "off";
    enabled.addEventListener("change", () => remember("keys", enabled.checked ? "on" : "off"));
  }

  const typing = (target) => target.closest("input, textarea, select, [contenteditable], dialog") !== null;
  const rows = () => [...document.querySelectorAll("[data-row]")];
  function move(step) {
    const all = rows();
    const at = all.findIndex((row) => row.classList.contains("is-here"));
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    if (!next) return;
    all.forEach((row) => row.classList.toggle("is-here", row === next));
    next.scrollIntoView({ block: "nearest" });
    next.querySelector("summary, a, button")?.focus({ preventScroll: true });
  }
  const open = (row) => row?.querySelector("a[href]")?.click();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (enabled && !enabled.checked) return;
    if (event.key === "?" && help) { event.preventDefault(); help.showModal(); return; }
    if (event.key === "j" || event.key === "k") { event.preventDefault(); move(event.key === "j" ? 1 : -1); return; }
    if (event.key === "o") { open(document.querySelector("[data-row].is-here")); return; }
    const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!target || target.disabled) return;
    event.preventDefault();
    if (target.matches("a[href]")) { target.click(); return; }
    target.scrollIntoView({ block: "nearest" });
    target.focus({ focusVisible: true, preventScroll: true });
  });

  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });

  // A map that is wider than its place begins where work stands.
  document.querySelectorAll(".map-scroll").forEach((box) => {
    const mark = box.querySelector(".map-bottleneck");
    if (mark) box.scrollLeft += mark.getBoundingClientRect().left - box.getBoundingClientRect().left - box.clientWidth / 2;
  });

  // The server did not answer at all: say so where refusals are shown.
  document.addEventListener("htmx:sendError", () => {
    const notices = document.getElementById("notices");
    const note = document.createElement("p");
    note.className = "notice notice-blocked";
    note.textContent = "The server did not answer. Nothing was changed; check the connection and try again.";
    notices.replaceChildren(note);
  });
})();

// Parts that refresh themselves wait while nobody looks or while somebody types in them; what was unfolded or
// scrolled aside stays so.
(() => {
  const changed = (field) => field.type !== "hidden"
    && (field.value !== field.defaultValue || (field.checked ?? false) !== (field.defaultChecked ?? false));
  const inUse = (part) =>
    [...part.querySelectorAll("textarea, input")].some(changed)
    || (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"));
  let unfolded = [], scrolled = [];
  // Where data-poll is "calm", each answer without news doubles the wait for the next one, up to eight turns; with
  // who comes back to the page it begins anew.
  let quiet = 0, turns = 0;
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.detail.elt;
    if (!part.matches("[data-poll]")) return;
    if (document.hidden || inUse(part)) { event.preventDefault(); return; }
    if (part.dataset.poll === "calm" && ++turns < 2 ** quiet) event.preventDefault();
    else turns = 0;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.dataset.poll !== "calm" || !event.detail.xhr) return;
    quiet = event.detail.xhr.status === 204 ? Math.min(quiet + 1, 3) : 0;
  });
  document.addEventListener("visibilitychange", () => { quiet = 0; });
  // The server has to know that nobody did anything: a session that is only refreshed ends.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.matches("[data-poll]")) return;
    event.detail.headers["X-Poll"] = "1";
    // Which pieces are here, and what they look like: the answer has the others.
    event.detail.headers["X-Pieces"] = [...document.querySelectorAll("[data-piece]")]
      .map((piece) => `${piece.id}=${piece.dataset.piece}`).join(" ");
  });
  // What stands beside the part waits while somebody types in it.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (inUse(event.detail.target)) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.requestConfig.elt;
    if (!part.matches("[data-poll]")) return;
    // Somebody began to type while the answer was on its way.
    if (inUse(part)) { event.detail.shouldSwap = false; return; }
    unfolded = [...part.querySelectorAll("details[open][id]")].map((details) => details.id);
    scrolled = [...part.querySelectorAll(".map-scroll[id]")].map((box) => [box.id, box.scrollLeft]);
    if (event.detail.xhr.status !== 200) return;
    if (event.detail.serverResponse.includes(`id="${part.id}"`)) return;
    // An answer without the part itself is the sign-in page: the session has ended.
    event.detail.shouldSwap = false;
    location.reload();
  });
  document.addEventListener("htmx:afterSwap", () => {
    unfolded.splice(0).forEach((id) => {
      const details = document.getElementById(id);
      if (details) details.open = true;
    });
    scrolled.splice(0).forEach(([id, left]) => {
      const box = document.getElementById(id);
      if (box) box.scrollLeft = left;
    });
  });
})();

// Parts that refresh themselves wait while nobody looks or while somebody types in them.
(() => {
  const changed = (field) => field.type !== "hidden" && field.value !== field.defaultValue;
  const inUse = (part) =>
    part.querySelector("details[open]") !== null
    || [...part.querySelectorAll("textarea, input")].some(changed)
    || (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"));
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.detail.elt;
    if (part.matches("[data-poll]") && (document.hidden || inUse(part))) event.preventDefault();
  });
  // An answer without the part itself is the sign-in page: the session has ended.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.requestConfig.elt;
    if (!part.matches("[data-poll]") || event.detail.xhr.status !== 200) return;
    if (event.detail.serverResponse.includes(`id="${part.id}"`)) return;
    event.detail.shouldSwap = false;
    location.reload();
  });
})();

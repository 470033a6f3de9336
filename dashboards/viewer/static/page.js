// What a page does besides being read: theme, tables, filters without a reload. The page is whole without it.

const swapped = () => document.dispatchEvent(new Event("page:swapped"));

function themeNow() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function sayTheme() {
  const button = document.querySelector("[data-theme-switch]");
  const other = themeNow() === "dark" ? "light" : "dark";
  button.querySelector("[data-label]").textContent = other === "dark" ? "Dark" : "Light";
  button.setAttribute("aria-label", `Switch to ${other} colours`);
}

function switchTheme() {
  const chosen = themeNow() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem("theme", chosen);
  } catch {
    // not kept: the choice holds for this page
  }
  sayTheme();
  document.dispatchEvent(new Event("page:theme"));
}

function toggle(button) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  // what wide screens always show is hidden by its button's state, in the style sheet
  if (!("keep" in button.dataset)) document.getElementById(button.getAttribute("aria-controls")).hidden = !open;
}

// The address of a form's choices, without the empty ones.
function addressOf(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== "") query.append(name, value);
  if (query.get("period") !== "custom") {
    query.delete("from");
    query.delete("to");
  }
  return `${form.getAttribute("action")}?${query}`;
}

let asked = 0;

async function show(address, { push }) {
  const mine = ++asked;
  const main = document.querySelector("main");
  main.setAttribute("aria-busy", "true");
  let page;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    location.assign(address); // the browser's own page says what is wrong
    return;
  }
  if (mine !== asked) return; // a later choice is on its way
  const fresh = page.querySelector("main");
  if (!fresh) {
    location.assign(address);
    return;
  }
  const focus = document.activeElement?.id;
  const open = [...document.querySelectorAll("details.choice[open]")].map((one) => one.id);
  const filtering = document.querySelector(".filters-button")?.getAttribute("aria-expanded");
  main.replaceWith(fresh);
  for (const part of ["[data-trust]", "[data-menu]"]) {
    const [was, is] = [document.querySelector(part), page.querySelector(part)];
    if (was && is) was.replaceWith(is);
  }
  document.title = page.title;
  if (push) history.pushState({}, "", address);
  if (filtering) document.querySelector(".filters-button")?.setAttribute("aria-expanded", filtering);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  document.querySelector("[data-announce]").textContent = document.querySelector("[data-span]")?.textContent ?? "";
  swapped();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[aria-expanded][aria-controls]");
  if (button) toggle(button);
  if (event.target.closest("[data-theme-switch]")) switchTheme();
  if (event.target.closest("[data-print]")) window.print();
  const link = event.target.closest("a[data-swap]");
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    show(link.href, { push: true });
  }
  // one open list at a time, and none once the reader is elsewhere
  for (const one of document.querySelectorAll("details.choice[open]")) {
    if (!one.contains(event.target)) one.removeAttribute("open");
  }
});

document.addEventListener("keydown", (event) => {
  const open = event.target.closest?.("details.choice[open], details.about[open]");
  if (event.key === "Escape" && open) {
    open.removeAttribute("open");
    open.querySelector("summary").focus();
  }
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-filters]");
  if (!form) return;
  const custom = form.elements.period?.value === "custom";
  form.querySelectorAll("[data-custom]").forEach((one) => (one.hidden = !custom));
  if (custom && !(form.elements.from.value && form.elements.to.value)) return; // two dates first
  show(addressOf(form), { push: true });
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-filters]");
  if (!form) return;
  event.preventDefault();
  show(addressOf(form), { push: true });
});

window.addEventListener("popstate", () => show(location.href, { push: false }));

// A page that waits for its first publication looks again by itself.
function wait() {
  const waiting = document.querySelector("[data-again]");
  if (waiting) setTimeout(() => show(location.href, { push: false }), Number(waiting.dataset.again) * 1000);
}

async function charts() {
  if (!document.querySelector("figure[data-chart]")) return;
  const { drawAll } = await import("./charts.js");
  drawAll(document);
}

document.addEventListener("page:swapped", () => {
  charts();
  wait();
});
document.addEventListener("page:theme", async () => {
  if (document.querySelector("figure[data-chart]")) (await import("./charts.js")).redrawAll();
});

sayTheme();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", sayTheme);
charts();
wait();

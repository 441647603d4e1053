"use strict";
(() => {
  const root = document.documentElement;

  // Interactive figures take the colours of the page.
  const paint = () => {
    if (!window.Plotly) return;
    const colors = getComputedStyle(root);
    const [ink, rule, muted, paper] = ["--ink", "--rule", "--muted", "--paper"].map((name) => colors.getPropertyValue(name).trim());
    for (const plot of document.querySelectorAll(".js-plotly-plot")) {
      const update = { "font.color": ink, "hoverlabel.bgcolor": paper, "hoverlabel.font.color": ink, "modebar.color": muted, "modebar.bgcolor": "rgba(0,0,0,0)" };
      for (const key of Object.keys(plot._fullLayout || {})) {
        if (/^[xy]axis\d*$/.test(key)) {
          Object.assign(update, { [`${key}.gridcolor`]: rule, [`${key}.linecolor`]: muted, [`${key}.zerolinecolor`]: rule });
        }
      }
      window.Plotly.relayout(plot, update);
    }
  };

  // Light or dark: as the system says, until the reader says otherwise.
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remember = (theme) => { try { localStorage.setItem("synaplex-theme", theme); } catch { /* a page need not remember */ } };
  try { const theme = localStorage.getItem("synaplex-theme"); if (theme) root.dataset.theme = theme; } catch { /* nothing was remembered */ }
  const toggle = document.querySelector(".theme");
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const dark = (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
    root.dataset.theme = dark ? "light" : "dark";
    remember(root.dataset.theme);
    paint();
  });
  system.addEventListener("change", paint);
  paint();

  // A click on a column's head sorts by it; missing values stay last.
  const key = (row, column) => { const cell = row.cells[column]; return cell.dataset.key ?? cell.textContent; };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    if (body.rows.length < 2) continue;
    heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      const descending = before ? before === "ascending" : numeric;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const compare = (a, b) => {
        const [x, y] = [key(a, column), key(b, column)];
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = numeric ? Number(x) - Number(y) : x.localeCompare(y, "en", { numeric: true });
        return descending ? -order : order;
      };
      body.append(...[...body.rows].sort(compare));
    }));
  }

  // The contents: closed on narrow screens, and marking the section being read.
  const contents = document.querySelector("nav details");
  if (contents) {
    const narrow = matchMedia("(max-width: 64rem)");
    const fold = () => { contents.open = !narrow.matches; };
    narrow.addEventListener("change", fold);
    fold();
    const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
    const sections = [...document.querySelectorAll("section")].filter((section) => links.has(section.id));
    const mark = () => {
      const line = innerHeight * 0.3;
      const passed = sections.filter((section) => section.getBoundingClientRect().top < line);
      const bottom = innerHeight + scrollY >= document.body.scrollHeight - 4;
      const here = bottom && scrollY > 0 ? sections.at(-1) : passed.at(-1);
      links.forEach((link, id) => link.classList.toggle("here", Boolean(here) && id === here.id));
    };
    addEventListener("scroll", mark, { passive: true });
    mark();
  }
})();

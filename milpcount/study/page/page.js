// What the report does in a browser: draws the figures, sorts tables, opens the records of runs.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("study-data").textContent);

  // Records are kept as text, so that numbers of any length are shown digit by digit.
  function fill(details) {
    const place = details.querySelector("pre");
    if (place.textContent === "") {
      place.textContent = data.records[Number(details.dataset.record)];
    }
  }

  function openTarget() {
    if (location.hash.length < 2) {
      return;
    }
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target !== null && target.classList.contains("run")) {
      fill(target);
      target.open = true;
      target.scrollIntoView();
    }
  }

  for (const details of document.querySelectorAll("details.run")) {
    details.addEventListener("toggle", function () {
      fill(details);
    });
  }
  window.addEventListener("hashchange", openTarget);

  // Each cell has its rank in the column; cells without a value have none and stay last.
  function sortBy(table, column, descending) {
    const body = table.tBodies[0];
    const rank = function (row) {
      const text = row.cells[column].dataset.rank;
      return text === undefined ? Infinity : descending ? -Number(text) : Number(text);
    };
    const rows = Array.from(body.rows).map(function (row) {
      return { row: row, rank: rank(row) };
    });
    rows.sort(function (a, b) {
      return a.rank === b.rank ? 0 : a.rank < b.rank ? -1 : 1;
    });
    for (const one of rows) {
      body.appendChild(one.row);
    }
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      head.querySelector("button").addEventListener("click", function () {
        const descending = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) {
          other.removeAttribute("aria-sort");
        }
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        sortBy(table, column, descending);
      });
    });
  }

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const text = style.getPropertyValue("--text").trim();
    const line = style.getPropertyValue("--line").trim();
    const page = style.getPropertyValue("--page").trim();
    const faint = style.getPropertyValue("--faint").trim();
    const of = {
      "font.color": text,
      "hoverlabel.bgcolor": page,
      "hoverlabel.font.color": text,
      "modebar.color": faint,
      "modebar.activecolor": text,
    };
    for (const axis of ["xaxis", "yaxis"]) {
      of[axis + ".gridcolor"] = line;
      of[axis + ".linecolor"] = line;
      of[axis + ".zerolinecolor"] = line;
    }
    return of;
  }

  const drawn = [];
  function recolour() {
    for (const place of drawn) {
      Plotly.relayout(place, colours());
    }
  }

  data.figures.forEach(function (figure, number) {
    const place = document.getElementById("figure-" + number);
    // No button that would send the figure to anybody.
    const config = {
      displaylogo: false,
      modeBarButtonsToRemove: ["sendChartToCloud"],
      plotlyServerURL: "",
      responsive: true,
    };
    Plotly.newPlot(place, figure.data, figure.layout, config).then(function () {
      drawn.push(place);
      place.on("plotly_click", function (event) {
        const run = event.points[0].customdata;
        if (run !== undefined && run !== null) {
          location.hash = "run-" + encodeURIComponent(run);
        }
      });
      return Plotly.relayout(place, colours());
    });
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  window.matchMedia("print").addEventListener("change", recolour);
  openTarget();
})();

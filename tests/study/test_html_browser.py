"""The HTML report opened in a headless browser, and its scripts run by a JavaScript engine.

The browser is Chromium or one of its kin, from the system's packages; the engine is the package
mini-racer, which executes the report's own script against stand-ins for the document and reads
plotly's for errors of syntax, where there is no browser.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from milpcount.study.page.report import write_html_report
from tests.study.report_study import HOSTILE, make_records, store_study

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# Notes every error, then does what a reader would, and leaves what came of it in the document.
WATCH = """<script>
window.problems = [];
window.addEventListener("error", e => window.problems.push(String(e.message)));
window.addEventListener("unhandledrejection", e => window.problems.push(String(e.reason)));
window.addEventListener("securitypolicyviolation",
  e => window.problems.push("blocked: " + e.blockedURI));
for (const name of ["error", "warn"]) {
  const before = console[name];
  console[name] = (...all) => { window.problems.push(all.join(" ")); before(...all); };
}
</script>"""
ACT = """<script>
window.addEventListener("load", () => setTimeout(() => {
  const found = {problems: window.problems, broken: window.broken === 1};
  const plots = Array.from(document.querySelectorAll(".figure"));
  found.plots = plots.map(p => p.querySelectorAll("svg .scatterlayer .trace").length);
  found.points = plots.map(p => p.querySelectorAll("svg .scatterlayer .points path").length);
  found.buttons = Array.from(document.querySelectorAll(".modebar-btn"))
    .map(b => b.dataset.title).filter(t => /share|cloud/i.test(t));
  const tables = Array.from(document.querySelectorAll("table.sortable"));
  const table = tables[tables.length - 1];
  const heads = Array.from(table.tHead.rows[0].cells);
  const column = heads.findIndex(h => h.textContent === "lower");
  const names = () => Array.from(table.tBodies[0].rows).map(r => r.cells[0].textContent);
  found.before = names();
  heads[column].querySelector("button").click();
  found.up = names();
  heads[column].querySelector("button").click();
  found.down = names();
  const filled = () => document.querySelectorAll("details.run[open]").length;
  found.closed = filled();
  // What clicking a point does.
  plots[1].emit("plotly_click", {points: [{customdata: "key1"}]});
  setTimeout(() => {
    found.opened = filled();
    found.hash = location.hash;
    found.record = document.getElementById("run-key1").querySelector("pre").textContent;
    found.heading = document.getElementById("run-key1").querySelector("summary").textContent;
    const result = document.createElement("pre");
    result.id = "found";
    result.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(found))));
    document.body.appendChild(result);
  }, 300);
}, 500));
</script>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("plotly")
    folder = tmp_path_factory.mktemp("report")
    return write_html_report(store_study(folder / "results"), folder / "report.html")


def open_in_browser(path: Path, folder: Path) -> tuple[str, str]:
    """The document after its scripts ran, and what the browser wrote to its log."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser is installed (one of {', '.join(BROWSERS)})")
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=20000", "--window-size=1200,1600", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, done.stderr


def test_in_a_browser(report: Path, tmp_path: Path) -> None:
    text = report.read_text(encoding="utf-8")
    watched = tmp_path / "watched.html"
    parts = text.replace("<style>", f"{WATCH}<style>", 1).rsplit("</body>", 1)
    watched.write_text(f"{parts[0]}{ACT}</body>{parts[1]}", encoding="utf-8")
    document, log = open_in_browser(watched, tmp_path)
    assert "CONSOLE" not in log, log[-2000:]
    encoded = re.search(r'<pre id="found">([^<]+)</pre>', document)
    assert encoded is not None, "the page's scripts did not come to their end"
    found = json.loads(base64.b64decode(encoded[1]))
    assert found["problems"] == []
    assert not found["broken"]
    assert len(found["plots"]) == 6
    assert min(found["plots"]) >= 1
    assert min(found["points"]) >= 1
    assert found["buttons"] == []
    assert found["up"] == [
        "1-7_s0", "1-7_s0", "1-7_s0", HOSTILE[:60] + "...", "stopped", "1-7_s0_e3", "huge",
    ]  # fmt: skip
    assert found["down"] == [*reversed(found["up"][3:]), *found["down"][4:]]
    assert found["down"][0] == "huge"
    assert sorted(found["before"]) == sorted(found["up"])
    assert (found["closed"], found["opened"], found["hash"]) == (0, 1, "#run-key1")
    assert json.loads(found["record"]) == make_records()[1]
    assert found["heading"].startswith(HOSTILE)


def test_as_it_is_in_a_browser(report: Path, tmp_path: Path) -> None:
    document, log = open_in_browser(report, tmp_path)
    assert "CONSOLE" not in log, log[-2000:]
    assert document.count('class="main-svg"') >= 6


# A document whose every property is such a thing again, and which notes what is drawn.
STAND_IN = """
var drawn = [], listeners = [];
function thing(base) {
  return new Proxy(Object.assign(function () { return thing({}); }, base), {
    get: function (target, name) {
      if (name in target && name !== "length" && name !== "name") { return target[name]; }
      if (name === Symbol.iterator) { return [][Symbol.iterator]; }
      if (name === Symbol.toPrimitive) { return function () { return ""; }; }
      return name === "then" ? undefined : thing({});
    },
  });
}
var head = thing({addEventListener: function (n, f) { listeners.push(f); },
                  querySelector: function () { return head; },
                  getAttribute: function () { return null; }});
var table = thing({tHead: {rows: [{cells: [head]}]}, tBodies: [thing({rows: []})]});
var details = thing({dataset: {record: "0"},
                     querySelector: function () { return {textContent: ""}; },
                     addEventListener: function (n, f) { listeners.push(f); }});
var document = thing({
  getElementById: function (id) {
    return id === "study-data" ? {textContent: DATA} : thing({});
  },
  querySelectorAll: function (s) { return s.indexOf("table") === 0 ? [table] : [details]; },
});
var window = thing({}), location = {hash: "#run-key0"};
var getComputedStyle = function () { return {getPropertyValue: function () { return "#000"; }}; };
var promise = function (value) {
  return {then: function (f) { f(value); return promise(); }};
};
var Plotly = {
  newPlot: function (place, data, layout) { drawn.push(data.length); return promise(place); },
  relayout: function () { return promise(); },
};
"""


def test_scripts_in_an_engine(report: Path) -> None:
    engine = pytest.importorskip("py_mini_racer", reason="mini-racer is not installed")
    text = report.read_text(encoding="utf-8")
    scripts = re.findall(r"<script(?: type=[^>]*)?>(.*?)</script>", text, flags=re.DOTALL)
    data, plotly, own = scripts
    context = engine.MiniRacer()
    # A syntax error raises; nothing of plotly is run, which needs a whole browser.
    assert context.eval(f"typeof new Function({json.dumps(plotly)})") == "function"
    context.eval(f"var DATA = {json.dumps(data)};\n{STAND_IN}")
    context.eval(own)
    figures = json.loads(data)["figures"]
    assert json.loads(context.eval("JSON.stringify(drawn)")) == [len(f["data"]) for f in figures]
    assert context.eval("listeners.length") == 2
    context.eval("listeners.forEach(function (f) { f(); })")

"""Pages in a headless browser: no errors, and they move, zoom, tell and slide."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import milpcount as mc
from milpcount.draw.film import evolution_scenes
from milpcount.draw.region_map import region_scene
from milpcount.draw.web_page import scene_page
from tests.draw.nets import SQUARE, random_net

pytest.importorskip("matplotlib")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WATCH = """<script>window.problems = [];
window.addEventListener("error", e => window.problems.push(String(e.message)));</script>"""
# What a reader would do, and what comes of it.
ACT = """<script>window.addEventListener("load", () => {
  const c = document.querySelector("canvas"), r = c.getBoundingClientRect();
  const at = (kind, x, y) => c.dispatchEvent(new PointerEvent(kind,
    {clientX: r.left + x * r.width, clientY: r.top + y * r.height, pointerId: 1}));
  c.setPointerCapture = () => 0;
  const before = scale, first = ox;
  at("pointermove", 0.5, 0.5);
  const told = document.getElementById("tip").textContent;
  c.dispatchEvent(new WheelEvent("wheel", {deltaY: -200, clientX: r.left + 9, clientY: r.top + 9}));
  const zoomed = scale / before, middle = ox;
  at("pointerdown", 0.5, 0.5); at("pointermove", 0.6, 0.5); at("pointerup", 0.6, 0.5);
  const s = document.getElementById("slider");
  if (s) { s.value = 1; s.dispatchEvent(new Event("input")); }
  const out = document.createElement("pre");
  out.textContent = "FOUND" + JSON.stringify({problems: window.problems, told, zoomed,
    moved: (ox - middle) / canvas.width, frame, title: document.getElementById("title").textContent,
    polygons: F[0].B.length - 1}) + "END";
  document.body.append(out);
});</script>"""


def _found(page: str, folder: Path) -> dict[str, object]:
    browser = next((b for b in BROWSERS if shutil.which(b)), None)
    if browser is None:
        pytest.skip("no browser is installed")
    path = folder / "page.html"
    path.write_text(page.replace("<head>", "<head>" + WATCH).replace("</body>", ACT + "</body>"))
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--user-data-dir={folder / 'profile'}", f"file://{path}"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found = re.search(r"FOUND(\{.*?\})END", done.stdout, re.DOTALL)
    assert found is not None
    text = found.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    value: dict[str, object] = json.loads(text)
    return value


def test_a_map_is_moved_zoomed_and_told(tmp_path: Path) -> None:
    net = random_net(2, 6, 5, 1, seed=10)
    found = _found(scene_page([region_scene(net, SQUARE)], "a <b> & c"), tmp_path)
    assert found["problems"] == []
    assert found["polygons"] == mc.count(net, SQUARE).lower
    here = str(mc.region_at(net, [0.0, 0.0], SQUARE).pattern).replace("|", "-")
    assert here in str(found["told"])
    assert found["zoomed"] == pytest.approx(1.3498588)
    assert found["moved"] == pytest.approx(0.1, abs=0.01)


def test_a_film_slides(tmp_path: Path) -> None:
    nets = [random_net(2, 4, 1, seed=s) for s in range(3)]
    names = ["one", "two", "three"]
    scenes = evolution_scenes(nets, SQUARE, "pattern", "layer", False, [[0.5, 0.5]], names)
    found = _found(scene_page(scenes, "film"), tmp_path)
    assert found["problems"] == []
    assert (found["frame"], found["title"]) == (1, "two")

"""Files: each ending by the command, films, pages; and what is refused, with a remedy named."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.cli.app import run
from milpcount.draw.save import STYLES
from milpcount.support import backends
from tests.draw.nets import DIAMOND, SQUARE, random_net

pytest.importorskip("matplotlib")

BOX = ["--box", "-2", "2"]
BEGINS = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".html": b"<"}


@pytest.fixture
def stored(tmp_path: Path) -> str:
    return _stored(tmp_path / "net.npz", random_net(2, 5, 4, 1, seed=2))


def _stored(path: Path, net: mc.ReLUNetwork) -> str:
    arrays = {f"W{i}": w for i, w in enumerate(net.weights)}
    np.savez(path, **arrays, **{f"b{i}": b for i, b in enumerate(net.biases)})
    return str(path)


@pytest.mark.parametrize("ending", BEGINS)
@pytest.mark.parametrize("style", STYLES)
def test_every_style_in_every_ending(style: str, ending: str, tmp_path: Path) -> None:
    inputs = 3 if style == "complex3d" else 2
    net = random_net(inputs, 4, 3, 1, seed=1)
    path = tmp_path / f"picture{ending}"
    drawn = mc.draw.save(net, path, mc.Box(-1, 1), style)
    assert len(drawn) == mc.count(net, mc.Box(-1, 1)).lower
    assert path.read_bytes().startswith(BEGINS[ending])


def test_command(stored: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.png"
    assert run(["draw", stored, *BOX, "--color", "output", "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    cells = mc.count(stored, SQUARE).lower
    assert (told["cells"], told["file"], told["color"]) == (str(cells), str(out), "output")
    assert told["f_vector"][2] == str(cells)
    assert run(["draw", stored, *BOX, "-o", str(out)]) == 0
    assert f"{cells} polygons" in capsys.readouterr().out
    first = out.read_bytes()
    assert run(["draw", stored, *BOX, "-o", str(out)]) == 0
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.jpg"], ".png, .pdf, .svg, .html"),
        (["-o", "a"], "no ending"),
        (["-o", "nowhere/a.png"], "no folder"),
        (["-o", "a.png", "--style", "region"], "regions"),
        (["-o", "a.png", "--color", "classes"], "'class'"),
        (["-o", "a.png", "--edges", "layers"], "'layer'"),
        (["-o", "a.png", "--of-output", "1"], "only output 0"),
        (["-o", "a.png", "--max-polygons", "3"], "--max-polygons"),
        (["-o", "a.png", "--style", "complex3d"], "3 inputs that vary, here are 2"),
        (["-o", "a.png", "--style", "complex3d", "--explode", "-1"], "inputs"),
    ],
)
def test_bad_input(
    arguments: list[str],
    words: str,
    stored: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["draw", stored, *BOX, *arguments]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.count("\n") == 1
    assert words in captured.err
    assert not list(tmp_path.glob("a*"))


def test_how_many_polygons_there_would_be() -> None:
    net = random_net(2, 9, 8, 1, seed=1)
    count = mc.count(net, SQUARE).lower
    with pytest.raises(mc.InputError, match=f"would have {count} polygons, more than 20"):
        mc.draw.regions(net, SQUARE, max_polygons=20)
    with pytest.raises(mc.InputError, match=f"would have {count} polygons"):
        mc.draw.regions(mc.polyhedral_complex(net, SQUARE), max_polygons=count - 1)
    mc.draw.regions(net, SQUARE, max_polygons=count)


def test_unbounded_and_deep_domains_are_refused() -> None:
    net = random_net(3, 4, 1)
    with pytest.raises(mc.DomainError, match="bounded"):
        mc.draw.regions(random_net(2, 4, 1), mc.WholeSpace())
    with pytest.raises(mc.DomainError, match="bounded"):
        mc.draw.regions(mc.polyhedral_complex(random_net(2, 4, 1), mc.WholeSpace()))
    with pytest.raises(mc.UnsupportedError, match=r"2 inputs that vary, here are 3.*Slice\.plane"):
        mc.draw.regions(net, mc.Box(-1, 1))
    with pytest.raises(mc.InputError, match="leave domain out"):
        mc.draw.regions(mc.polyhedral_complex(random_net(2, 4, 1), SQUARE), SQUARE)
    with pytest.raises(mc.DomainError, match="no input domain"):
        mc.draw.regions(random_net(2, 4, 1))
    with pytest.raises(mc.UnsupportedError, match="without units"):
        mc.draw.regions(mc.ReLUNetwork([np.eye(2)], [np.zeros(2)]), SQUARE)


def test_a_plateau_is_refused_with_its_size() -> None:
    flat = mc.ReLUNetwork([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
    with pytest.raises(mc.DomainError, match=r"on 1 of \d+ cells.*boundary=False"):
        mc.draw.regions(flat, SQUARE)
    mc.draw.regions(flat, SQUARE, boundary=False)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mc.draw.surface(DIAMOND, SQUARE, backend="vtk"), "plotly, matplotlib"),
        (lambda: mc.draw.surface(DIAMOND, SQUARE, output=2), "only output 0"),
        (lambda: mc.draw.regions(DIAMOND, SQUARE, points=[1, 2]), "shape"),
        (lambda: mc.draw.regions(DIAMOND, SQUARE, points=np.zeros((3, 4))), "4 coordinates"),
        (lambda: mc.draw.regions(DIAMOND, SQUARE, max_polygons=0), "at least 1"),
        (lambda: mc.draw.complex3d(random_net(3, 4, 1), SQUARE, cells=[99]), "no cell 99"),
        (lambda: mc.draw.complex3d(random_net(3, 4, 1), SQUARE, explode=-1.0), "explode"),
        (lambda: mc.draw.layers(DIAMOND, SQUARE, ax=[]), "2 axes"),
        (lambda: mc.draw.evolution([], SQUARE, "a.gif"), "at least one network"),
        (lambda: mc.draw.evolution([DIAMOND], SQUARE, "a.avi"), ".gif, .mp4, .html"),
        (lambda: mc.draw.evolution([DIAMOND], SQUARE, "a.gif", titles=[]), "titles"),
    ],
)
def test_misuse(call: object, words: str) -> None:
    with pytest.raises(mc.InputError, match=re.escape(words)):
        call()  # type: ignore[operator]


@pytest.mark.parametrize("package", ["matplotlib", "plotly"])
def test_missing_libraries_name_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = backends.importlib.util.find_spec
    monkeypatch.setattr(
        backends.importlib.util, "find_spec", lambda name: None if name == package else there(name)
    )
    picture = mc.draw.regions if package == "matplotlib" else mc.draw.surface
    with pytest.raises(mc.MissingDependencyError, match=rf"{package}.*milpcount\[plots\]"):
        picture(DIAMOND, SQUARE)


def test_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    nets = [random_net(2, 3, 1, seed=s) for s in range(3)]
    gif = mc.draw.evolution(nets, SQUARE, tmp_path / "a.gif", boundary=False)
    with Image.open(gif) as film:
        assert film.n_frames == 3
    page = mc.draw.evolution(nets, SQUARE, tmp_path / "a.html", boundary=False)
    assert 'max="2"' in page.read_text()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.warns(UserWarning, match="ffmpeg"):
        made = mc.draw.evolution(nets, SQUARE, tmp_path / "b.mp4", boundary=False)
    assert made == tmp_path / "b.gif"
    assert made.exists()
    assert not (tmp_path / "b.mp4").exists()


def test_names_are_text_in_pages(tmp_path: Path) -> None:
    evil = mc.ReLUNetwork(
        DIAMOND.weights, DIAMOND.biases, name="</script><script>alert(1)</script>$x$"
    )
    for style in ("regions", "layers", "graph"):
        mc.draw.save(evil, tmp_path / "a.html", SQUARE, style)
        assert "alert(1)</script>" not in (tmp_path / "a.html").read_text()
    K = mc.polyhedral_complex(evil, SQUARE)
    for thing in (evil, K, K.regions[0], mc.count(evil, SQUARE), mc.bound(evil, SQUARE)):
        assert "<script" not in thing._repr_html_()


EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 30
    if "sklearn" in text:
        pytest.importorskip("sklearn")
    main = runpy.run_path(str(path))["main"]
    main(str(tmp_path / "a.png"), 5)
    assert (tmp_path / "a.png").read_bytes().startswith(BEGINS[".png"])


def test_there_are_six_examples_with_their_pictures() -> None:
    assert len(EXAMPLES) == 6
    gallery = Path(__file__).parents[2] / "docs" / "gallery"
    assert len(list(gallery.glob("*.png"))) == 6

"""Faults in the native kernels for plant_faults.py: all of them compiled at once.

Each fault replaces an expression ``old`` by ``(planted(k) ? new : old)``, and the environment
variable MILPCOUNT_FAULT says which number k is true.  So one build serves all of them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "MILPCOUNT_FAULT"
_HEADER = f"""\
#pragma once
#include <cstdlib>
namespace milpcount {{
inline const int PLANTED = [] {{
    const char* text = std::getenv("{VARIABLE}");
    return text == nullptr ? 0 : std::atoi(text);
}}();
inline bool planted(int number) {{ return PLANTED == number; }}
}}  // namespace milpcount
"""


@dataclass(frozen=True)
class KernelFault:
    """An expression of the kernels, what stands for it, and the tests of which one must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


TIES = "tests/search/test_near_ties.py"
FLOATS = "tests/search/test_proofs_in_floats.py"
MARGINS = "tests/kernels/test_margins.py"
PLANAR = "tests/kernels/test_planar_margins.py"
LAST = "tests/search/test_last_layer.py"
EXACT = "tests/kernels/test_exact_side.py"

KERNEL_FAULTS = (
    KernelFault(
        "kernels: sums are as good as exact",
        "forms.hpp",
        "static_cast<double>(2 * terms + 16) * ROUNDOFF",
        "0.0",
        (TIES, FLOATS),
    ),
    KernelFault(
        "kernels: forms of the next layer are not rounded (tree)",
        "state.cpp",
        "std::abs(factor) * (own + gamma(net.terms[layer] + 4) * (size + own) + TINY)",
        "std::abs(factor) * own",
        (FLOATS, TIES),
    ),
    KernelFault(
        "kernels: forms of the next layer are not rounded (subdivision)",
        "stages.hpp",
        "error + h * both + tiny",
        "error",
        (TIES,),
    ),
    KernelFault(
        "kernels: forms that skip layers are not rounded",
        "forms.hpp",
        "std::abs(factor) * (own + gamma(terms + 4) * (size + own) + TINY)",
        "std::abs(factor) * own",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: biases of later layers are not rounded",
        "forms.hpp",
        "gamma(terms + 4) * size",
        "0.0",
        (FLOATS, TIES),
    ),
    KernelFault(
        "kernels: rows of units have no error",
        "state.cpp",
        "st.error[k] = forms.at(st.n + 1, i)",
        "st.error[k] = 0.0",
        (FLOATS, TIES),
    ),
    KernelFault(
        "kernels: the lower end of a range is not rounded outward",
        "ranges.hpp",
        "bottom - choose(low_rounds, rounding, zero) - error",
        "bottom",
        (FLOATS, TIES),
    ),
    KernelFault(
        "kernels: the upper end of a range is not rounded outward",
        "ranges.hpp",
        "top + choose(high_rounds, rounding, zero) + error",
        "top",
        (FLOATS, TIES),
    ),
    KernelFault(
        "kernels: units that are 0 on a side of the cube are active where it is closed",
        "state.cpp",
        "(st.low[i] == 0.0 && !net.closed)",
        "st.low[i] == 0.0",
        (TIES,),
    ),
    KernelFault(
        "kernels: multipliers refute without a margin",
        "proofs.hpp",
        "top + 1.01 * error_ + gamma(st_.n + terms_ + 2) * size_ + TINY",
        "top",
        (TIES,),
    ),
    KernelFault(
        "kernels: forms at a point have no error",
        "proofs.hpp",
        "error + rate * size[k] + tiny",
        "fill(0.0)",
        (TIES,),
    ),
    KernelFault(
        "kernels: points satisfy the rows of the domain",
        "proofs.hpp",
        "(signs_at(domain, k, z).above & all) != all",
        "false",
        (TIES, "tests/engines/test_witnesses.py"),
    ),
    KernelFault(
        "kernels: constraints refute with either sign",
        "sides.cpp",
        "st.side_of_row(a, k)",
        "1.0",
        (FLOATS,),
    ),
    KernelFault(
        "kernels: an optimum in floats is a refutation",
        "sides.cpp",
        "sum.supremum() < 0.0",
        "true",
        (TIES,),
    ),
    KernelFault(
        "kernels: signs at vertices need no margin",
        "stages.hpp",
        "load(own + u) + load(rate + u) * e",
        "zero",
        (TIES,),
    ),
    KernelFault(
        "kernels: a sign is classified without its bound",
        "vertices.hpp",
        "value > bound",
        "value > 0.0",
        (TIES,),
    ),
    KernelFault(
        "kernels: rows that meet at a vertex have no error",
        "vertices.hpp",
        "1.01 * (f.at(N + 1, u) * scale + (N + 2) * ROUNDOFF) + TINY",
        "0.0",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: where an edge is cut is exact",
        "cutting.hpp",
        "1.01 * ((1.0 - t) * delta_a + t * delta_b) / left + 4 * ROUNDOFF",
        "0.0",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: points of cells need no margin (subdivision)",
        "centre.hpp",
        "f.at(N + 1, u) + gamma(N + 1) * size + TINY",
        "0.0",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: values at the vertices of sections are exact",
        "section.hpp",
        "1.001 * (own + rate * vertex_error) + TINY",
        "0.0",
        (PLANAR, TIES),
    ),
    KernelFault(
        "kernels: vertices placed anew are exact",
        "vertices.hpp",
        "1.02 * off / (1.0 - defect) + 4 * ROUNDOFF",
        "0.0",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: vertices between two others are exact",
        "cutting.hpp",
        "std::max(cell.error[a], cell.error[b]) + blur * length + 8 * ROUNDOFF",
        "0.0",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: zero has a sign in integers",
        "integers.hpp",
        "total > 0 ? 1 : total < 0 ? -1 : 0",
        "total > 0 ? 1 : -1",
        ("tests/kernels/test_subdivision.py",),
    ),
    KernelFault(
        "kernels: crossings of sections are exact",
        "sections.hpp",
        "1.001 * (eps + 2.1 * (eps / d + 4.0 * ROUNDOFF) + 8.0 * ROUNDOFF) + TINY",
        "0.0",
        (TIES,),
    ),
    KernelFault(
        "kernels: signs at sections need no proof",
        "sections.hpp",
        "(sure & mask) == mask",
        "true",
        (TIES,),
    ),
    KernelFault(
        "kernels: few zeros on a section are taken for distinct",
        "segment.hpp",
        "!(std::abs(zeros_[j] - zeros_[k]) > far) && !apart(j, k, eps)",
        "false",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: many zeros on a section are taken for distinct",
        "segment.hpp",
        "!(std::abs(t - zeros_[k]) > far) && !apart(j, k, eps)",
        "false",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: images of inputs satisfy rows without a margin",
        "zonotope.cpp",
        "!(at.value > at.error)",
        "!(at.value > 0.0)",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: cells outside the zonotope need no margin",
        "zonotope.cpp",
        "gamma(m + n + 8) * size + gamma(many + n + 8) * (spread + 2.0 * weight) + TINY",
        "0.0",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: cells that floats cut off are outside the zonotope",
        "witness.cpp",
        "none && separated(m, to.total)",
        "none",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: faces: an optimum in floats is a contradiction",
        "flats.cpp",
        "sum.supremum() < 0.0",
        "true",
        (LAST,),
    ),
    KernelFault(
        "kernels: faces: constraints contradict with either sign",
        "flats.cpp",
        "st.side_of_row(*flats_.node_, k)",
        "1.0",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: faces: what shares a unit with a face is one",
        "flats.cpp",
        "(face & ~sets[k]) == 0",
        "(face & sets[k]) != 0",
        (LAST,),
    ),
    KernelFault(
        "kernels: faces: what shares a unit with none is none",
        "flats.cpp",
        "(none & ~face) == 0",
        "(none & face) != 0",
        (LAST,),
    ),
    KernelFault(
        "kernels: faces: subsets of a face are counted without the least",
        "flats.cpp",
        "Index{1} << count_bits(others)",
        "(Index{1} << count_bits(others)) - 1",
        (LAST,),
    ),
    KernelFault(
        "kernels: faces: rows of a witness have no error",
        "witness.cpp",
        "std::abs(at.value) + at.error",
        "std::abs(at.value)",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: faces: constraints at a witness have no error",
        "witness.cpp",
        "at.value - at.error",
        "at.value",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: faces: a witness's steps may leave the cell",
        "witness.cpp",
        "std::min(step, 0.5 * slack / used)",
        "step",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: faces: a witness's steps may leave the inputs",
        "witness.cpp",
        "0.9 * room / (stretch * lengths)",
        "1.0 / (stretch * lengths)",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: faces in the cube: forms at a witness have no error",
        "around.cpp",
        "std::abs(at.value[b]) + at.error[b]",
        "std::abs(at.value[b])",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: faces in the cube: constraints at a witness have no error",
        "around.cpp",
        "side * at.value[b] - at.error[b]",
        "side * at.value[b]",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: faces in the cube: a witness's steps may leave the cell",
        "around.cpp",
        "std::min(most, 0.5 * slack / used)",
        "most",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: faces in the cube: a witness's steps may leave the cube",
        "around.cpp",
        "std::min(limit, KEPT * std::min(z, 1.0 - z) / used)",
        "limit",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: faces in the cube: forms need not change along their directions",
        "around.cpp",
        "step * gain",
        "step",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: sums of three numbers that come to 0 are 0",
        "vertices.hpp",
        "total == 0.0 && terms <= 2",
        "total == 0.0",
        (PLANAR,),
    ),
    KernelFault(
        "kernels: points satisfy a polytope's rows without a margin",
        "rays.cpp",
        "gamma(n) * size * SLACK + TINY",
        "0.0",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: points beyond a facet need no margin",
        "rays.cpp",
        "(error + gamma(inputs) * size) * SLACK + TINY",
        "0.0",
        (MARGINS,),
    ),
    KernelFault(
        "kernels: exact multipliers of either sign refute",
        "exact_side.cpp",
        "y > 0",
        "false",
        (EXACT,),
    ),
    KernelFault(
        "kernels: exact multipliers refute whatever the constant",
        "exact_side.cpp",
        "side == 0 || top > 0",
        "side == 0",
        (EXACT,),
    ),
    KernelFault(
        "kernels: exact multipliers refute sides that hold their boundary",
        "exact_side.cpp",
        "sign > 0 || below",
        "true",
        (EXACT,),
    ),
    KernelFault(
        "kernels: rows that vanish on the inputs refute exactly",
        "exact_side.cpp",
        "!is_row || spans_",
        "true",
        (EXACT,),
    ),
    KernelFault(
        "kernels: one prime is enough for every determinant",
        "exact_side.cpp",
        "static_cast<double>(taken_.size()) * PRIME_BITS < bits_",
        "taken_.empty()",
        (EXACT,),
    ),
    KernelFault(
        "kernels: residues of another path serve",
        "residue_forms.cpp",
        "prime.taken[k] == turn",
        "prime.taken[k] != 0",
        (EXACT,),
    ),
)


def sources_planted(
    faults: Sequence[KernelFault], sources: Path, folder: Path
) -> list[KernelFault]:
    """Write the sources with all faults into a folder; returns those whose place is not there once.

    A file that is there already as it should be is left alone, so that it is not compiled again.
    """
    texts = {path.name: path.read_text(encoding="utf-8") for path in sources.iterdir()}
    texts["planted.hpp"] = _HEADER
    lost = []
    for number, fault in enumerate(faults, start=1):
        text = texts.get(fault.file, "")
        place = _place(text, fault.old)
        if place is None:
            lost.append(fault)
            continue
        begin, end = place
        chosen = f"(planted({number}) ? ({fault.new}) : ({text[begin:end]}))"
        texts[fault.file] = text[:begin] + chosen + text[end:]
    for name in {fault.file for fault in faults} & texts.keys():
        texts[name] = f'#include "planted.hpp"\n{texts[name]}'
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return lost


def _place(text: str, old: str) -> tuple[int, int] | None:
    """Where the expression stands; blanks and line ends are one.  None unless it is there once."""
    pattern = r"\s+".join(re.escape(word) for word in old.split())
    found = [match.span() for match in re.finditer(pattern, text)]
    return found[0] if len(found) == 1 else None


def build(folder: Path, variant: str) -> None:
    """Compile the kernels of the copy, one variant; those that were copied are taken out."""
    for old in (folder / "milpcount" / "kernels").glob("_native_*"):
        old.unlink()
    command = [sys.executable, "scripts/build_kernels.py", "--only", variant]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace")[-4000:])
        sys.stderr.write(done.stderr.decode(errors="replace")[-4000:])
        raise SystemExit("the kernels with the faults do not compile")

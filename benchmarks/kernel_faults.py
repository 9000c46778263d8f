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
        "forms.hpp",
        "std::abs(factor) * (own + gamma(terms + 4) * (size + own) + TINY)",
        "std::abs(factor) * own",
        (FLOATS, TIES),
    ),
    KernelFault(
        "kernels: forms of the next layer are not rounded (subdivision)",
        "stages.hpp",
        "std::abs(factor) * (own + g * (size + own) + TINY)",
        "std::abs(factor) * own",
        (TIES,),
    ),
    KernelFault(
        "kernels: the lower end of a range is not rounded outward",
        "ranges.hpp",
        "bottom - choose(low_rounds, rounding, zero) - error",
        "bottom",
        (FLOATS, TIES),
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
        "kernels: an optimum in floats is a refutation",
        "sides.cpp",
        "proved_empty(st_, a_, r, sign) && record_sum(st_, a_, r, sign)",
        "record_sum(st_, a_, r, sign)",
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
        "kernels: vertices placed anew are exact",
        "vertices.hpp",
        "1.02 * off / (1.0 - defect) + 4 * ROUNDOFF",
        "0.0",
        (TIES,),
    ),
    KernelFault(
        "kernels: vertices between two others are exact",
        "cutting.hpp",
        "std::max(cell.error[a], cell.error[b]) + blur * length + 8 * ROUNDOFF",
        "0.0",
        (TIES,),
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
        "1.001 * (eps + 2.1 * (2.0 * eps / d + 4.0 * ROUNDOFF) + 8.0 * ROUNDOFF) + TINY",
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
        (TIES, "tests/kernels/test_subdivision.py"),
    ),
    KernelFault(
        "kernels: many zeros on a section are taken for distinct",
        "segment.hpp",
        "!(std::abs(t - zeros_[k]) > far) && !apart(j, k, eps)",
        "false",
        (TIES, "tests/kernels/test_subdivision.py"),
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


def sources_planted(faults: Sequence[KernelFault], package: Path) -> list[KernelFault]:
    """Plant all faults in a copy of the package; returns those whose place is not there once."""
    folder = package / "kernels" / "src"
    (folder / "planted.hpp").write_text(_HEADER, encoding="utf-8")
    lost = []
    for number, fault in enumerate(faults, start=1):
        path = folder / fault.file
        text = path.read_text(encoding="utf-8")
        if "planted.hpp" not in text:
            text = f'#include "planted.hpp"\n{text}'
        place = _place(text, fault.old)
        if place is None:
            lost.append(fault)
            continue
        begin, end = place
        chosen = f"(planted({number}) ? ({fault.new}) : ({text[begin:end]}))"
        path.write_text(text[:begin] + chosen + text[end:], encoding="utf-8")
    return lost


def _place(text: str, old: str) -> tuple[int, int] | None:
    """Where the expression stands; blanks and line ends are one.  None unless it is there once."""
    pattern = r"\s+".join(re.escape(word) for word in old.split())
    found = [match.span() for match in re.finditer(pattern, text)]
    return found[0] if len(found) == 1 else None


def build(folder: Path, package: Path, variant: str) -> None:
    """Compile the kernels of the copy, one variant; what was built before is taken out."""
    for old in (package / "kernels").glob("_native_*"):
        old.unlink()
    command = [sys.executable, "scripts/build_kernels.py", "--only", variant]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout.decode(errors="replace")[-4000:])
        sys.stderr.write(done.stderr.decode(errors="replace")[-4000:])
        raise SystemExit("the kernels with the faults do not compile")

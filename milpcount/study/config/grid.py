"""From a configuration to a list of runs, each with a key that depends on its content alone."""

from __future__ import annotations

import glob
import hashlib
import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from milpcount.core.domain import Box, Domain, WholeSpace
from milpcount.core.network import ReLUNetwork
from milpcount.core.problem import CountProblem
from milpcount.core.result import Definition
from milpcount.core.run import Outcome, Watch
from milpcount.engines.registry import choose_engine, run_engine
from milpcount.errors import ConfigError
from milpcount.importers import load_network
from milpcount.sampling.methods import require_options
from milpcount.study.config.schema import (
    BoundGrid,
    BoundSettings,
    CountGrid,
    CountSettings,
    DomainSettings,
    EstimateGrid,
    EstimateSettings,
    RandomNetworks,
    RunSettings,
    StudyConfig,
)
from milpcount.study.config.seeds import canonical_json, derive_seed
from milpcount.study.config.strict import PlacedError
from milpcount.study.config.sweep_networks import Combination

__all__ = ["NetworkSource", "Run", "resolve_domain", "resolve_runs"]


@dataclass(frozen=True)
class NetworkSource:
    """Where a network comes from: a file, or a random draw.

    Attributes:
        name: for tables and messages.
        path: of the file, None for a random network.
        random: the settings of a random network.
        number: which of the random networks.
        metadata: what the ``.json`` beside the file says (accuracy, seed, ...).
        output: which output of the file, None where it has one.
    """

    name: str
    path: str | None = None
    random: RandomNetworks | None = None
    number: int = 0
    metadata: tuple[tuple[str, Any], ...] = ()
    output: str | None = None

    @property
    def seed(self) -> int | None:
        """Seed of the draw or of the training, None when unknown."""
        if self.random is None:
            value = dict(self.metadata).get("seed")
            return value if isinstance(value, int) else None
        axes = self.random.model_dump(exclude={"count"})
        return derive_seed(number=self.number, **axes)

    def load(self) -> ReLUNetwork:
        """Read or draw the network."""
        if self.path is not None:
            return load_network(self.path, name=self.name, output=self.output)
        assert self.random is not None
        assert self.seed is not None
        return _draw(self.random, self.seed, self.name)


@dataclass(frozen=True)
class Run:
    """One count, estimate or bound of one network; ``settings`` say which of them.

    Attributes:
        journal: file in which an unfinished count is kept, so that it goes on when the study is
            run again; None where there is none.
        notes: what an importer changed when it read the network.
    """

    key: str
    source: NetworkSource
    network_sha256: str
    architecture: tuple[int, ...]
    domain: DomainSettings
    settings: RunSettings
    journal: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Short name for messages."""
        settings = self.settings
        if isinstance(settings, CountSettings):
            way = f"{settings.engine}, {settings.definition}"
        elif isinstance(settings, EstimateSettings):
            way = f"estimate: {settings.label}, {settings.definition}, seed {settings.number}"
        else:
            way = f"bounds, ranges by {settings.ranges}"
        output = ", with output" if settings.with_output else ""
        return f"{self.source.name} ({way}{output})"


def resolve_runs(config: StudyConfig, root: Path) -> list[Run]:
    """All runs of the study: networks in the order of the file, files of a pattern by name.

    Of several networks with the same content the first stands for all.

    Raises:
        ConfigError: a pattern that matches no file or no network.
        InputError: a file that holds no network, a domain that does not fit it, or an option
            that the engine or the method does not have.
    """
    runs: dict[str, Run] = {}
    if config.domain is None:
        return []
    for grid in config.estimates:
        require_options(grid.method, grid.options)
    ways = [(grid, grid.expand()) for grid in config.grids]
    sources = _sources(config, root)
    _require_taken(config, [source.name for source in sources])
    domain = resolve_domain(config.domain)
    for source in sources:
        network = source.load()
        for settings in (s for grid, all_ in ways if grid.takes(source.name) for s in all_):
            definition = "full" if isinstance(settings, BoundSettings) else settings.definition
            problem = CountProblem.of(
                network, domain, Definition(definition).searched, settings.with_output
            )
            if isinstance(settings, CountSettings) and settings.options:
                _require_options(settings, problem)
            content = {
                "network_sha256": network.sha256,
                # The resolved box: the one in a network's file is no part of its content hash.
                "domain": [_ends(problem.box.lo), _ends(problem.box.hi)],
                **_content(settings),
            }
            key = hashlib.sha256(canonical_json(content).encode()).hexdigest()[:32]
            if key not in runs:
                shape = network.architecture
                runs[key] = Run(
                    key,
                    source,
                    network.sha256,
                    shape,
                    config.domain,
                    settings,
                    notes=network.notes,
                )
    return list(runs.values())


def _content(settings: RunSettings) -> dict[str, Any]:
    """What a run's key knows of its settings: all but names for readers."""
    if isinstance(settings, CountSettings):
        return {"count": settings.model_dump()}
    if isinstance(settings, EstimateSettings):
        return {"estimate": settings.model_dump(exclude={"label"})}
    return {"bound": settings.model_dump()}


def _require_taken(config: StudyConfig, names: list[str]) -> None:
    """Refuse a pattern under ``only`` that no network has."""
    groups: dict[str, Sequence[CountGrid | EstimateGrid | BoundGrid]] = {
        "counts": config.counts,
        "estimates": config.estimates,
        "domain_bounds": config.domain_bounds,
    }
    for key, grids in groups.items():
        for k, grid in enumerate(grids):
            for pattern in grid.only:
                if not any(fnmatchcase(name, pattern) for name in names):
                    raise PlacedError(
                        f"only: {pattern!r} matches no network; they are {_some(names)}",
                        *(key, k, "only"),
                    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def resolve_domain(settings: DomainSettings) -> Domain | None:
    """Return the domain; None stands for the box in the network's file."""
    if settings.box is not None:
        return Box(*settings.box)
    return WholeSpace() if settings.whole_space else None


def _require_options(settings: CountSettings, problem: CountProblem) -> None:
    """Refuse unknown options now, not after hours; the engine itself does not start."""
    merges = Definition(settings.definition).merges
    needs = [*settings.options, *(["regions"] if merges else [])]
    engine = choose_engine(settings.engine, problem, needs)
    run_engine(engine, problem, Watch(), Outcome(keep=merges), settings.options)


def _ends(ends: NDArray[np.float64]) -> list[str]:
    """Every end of a box as exact text; one where all are the same."""
    texts = [float(end).hex() for end in ends + 0.0]  # no -0.0
    return texts[:1] if len(set(texts)) == 1 else texts


def _sources(config: StudyConfig, root: Path) -> list[NetworkSource]:
    sources = []
    for k, pattern in enumerate(config.networks):
        # Environment variables keep the paths of one machine out of the file.
        found = glob.glob(os.path.expandvars(pattern), root_dir=root, recursive=True)
        if not found:
            raise PlacedError(
                f"networks: {pattern!r} matches no file below {root.resolve()}", "networks", k
            )
        paths = [root / text for text in sorted(found)]
        sources += [
            NetworkSource(
                path.stem, str(path), metadata=_sidecar(path), output=config.network_output
            )
            for path in paths
        ]
    for settings in config.random:
        shape = "-".join(map(str, settings.architecture))
        sources += [
            NetworkSource(f"random-{shape}-{k}", None, settings, k) for k in range(settings.count)
        ]
    for combination in itertools.chain.from_iterable(sweep.expand() for sweep in config.sweep):
        sources += _drawn(combination)
    return sources


def _drawn(combination: Combination) -> list[NetworkSource]:
    """The networks of one combination of a sweep, which tables find in their metadata."""
    random = RandomNetworks(
        architecture=list(combination.architecture),
        weights=combination.weights,
        bias_scale=combination.bias_scale,
    )
    axes = (("weights", combination.weights), ("bias_scale", combination.bias_scale))
    return [
        NetworkSource(f"{combination.label}-{k}", None, random, k, axes)
        for k in range(combination.seeds)
    ]


def _sidecar(path: Path) -> tuple[tuple[str, Any], ...]:
    """Scalars of the ``.json`` beside a network, nothing if there is none."""
    side = path.with_suffix(".json")
    if not side.exists():
        return ()
    try:
        values = json.loads(side.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{side}: cannot be read as JSON: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{side}: holds no JSON object; it should describe {path.name}")
    return tuple((k, v) for k, v in values.items() if isinstance(v, int | float | str))


def _draw(settings: RandomNetworks, seed: int, name: str) -> ReLUNetwork:
    rng = np.random.default_rng(seed)
    weights, biases = [], []
    sizes = settings.architecture
    for inputs, units in itertools.pairwise(sizes):
        if settings.weights == "pytorch":
            limit = inputs**-0.5
            weights.append(rng.uniform(-limit, limit, size=(units, inputs)))
            biases.append(rng.uniform(-limit, limit, size=units))
        else:
            weights.append(rng.normal(scale=(2 / inputs) ** 0.5, size=(units, inputs)))
            biases.append(settings.bias_scale * rng.normal(size=units))
    return ReLUNetwork(weights, biases, name=name)

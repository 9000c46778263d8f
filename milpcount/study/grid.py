"""From a configuration to a list of runs, each with a key that depends on its content alone."""

from __future__ import annotations

import glob
import hashlib
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.domain import Box, Domain, WholeSpace
from milpcount.errors import ConfigError
from milpcount.importers import load_network
from milpcount.network import ReLUNetwork
from milpcount.study.schema import CountSettings, DomainSettings, RandomNetworks, StudyConfig
from milpcount.study.seeds import canonical_json, derive_seed

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
    """

    name: str
    path: str | None = None
    random: RandomNetworks | None = None
    number: int = 0
    metadata: tuple[tuple[str, Any], ...] = ()

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
            return load_network(self.path, name=self.name)
        assert self.random is not None
        assert self.seed is not None
        return _draw(self.random, self.seed, self.name)


@dataclass(frozen=True)
class Run:
    """One count of one network."""

    key: str
    source: NetworkSource
    network_sha256: str
    architecture: tuple[int, ...]
    domain: DomainSettings
    settings: CountSettings

    @property
    def label(self) -> str:
        """Short name for messages."""
        return f"{self.source.name} ({self.settings.engine}, {self.settings.definition})"


def resolve_runs(config: StudyConfig, root: Path) -> list[Run]:
    """All runs of the study, networks in order of their names, counts in order of the file.

    Raises:
        ConfigError: a pattern that matches no file.
        NetworkError: a file that holds no network.
    """
    runs = {}
    for source in _sources(config, root):
        network = source.load()
        for settings in config.counts:
            content = {
                "network_sha256": network.sha256,
                "domain": config.domain.model_dump(),
                "count": settings.model_dump(),
            }
            key = hashlib.sha256(canonical_json(content).encode()).hexdigest()[:32]
            runs[key] = Run(
                key, source, network.sha256, network.architecture, config.domain, settings
            )
    return list(runs.values())


def resolve_domain(settings: DomainSettings) -> Domain | None:
    """Return the domain; None stands for the box in the network's file."""
    if settings.box is not None:
        return Box(*settings.box)
    return WholeSpace() if settings.whole_space else None


def _sources(config: StudyConfig, root: Path) -> list[NetworkSource]:
    sources = []
    for pattern in config.networks:
        paths = sorted(glob.glob(str(root / pattern)))
        if not paths:
            raise ConfigError(f"networks: {pattern!r} matches no file below {root}")
        for text in paths:
            path = Path(text)
            sources.append(NetworkSource(path.stem, str(path), metadata=_sidecar(path)))
    for settings in config.random:
        shape = "-".join(map(str, settings.architecture))
        sources += [
            NetworkSource(f"random-{shape}-{k}", None, settings, k) for k in range(settings.count)
        ]
    return sources


def _sidecar(path: Path) -> tuple[tuple[str, Any], ...]:
    """Scalars of the ``.json`` beside a network, nothing if there is none."""
    side = path.with_suffix(".json")
    if not side.exists():
        return ()
    try:
        values = json.loads(side.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{side}: not JSON: {error}") from error
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

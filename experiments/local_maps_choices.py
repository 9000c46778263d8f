"""What choices that the paper leaves open do to the networks of the study of local maps.

The paper says neither how pixels are scaled nor whether units are left out while a network is
trained.  Both move the accuracy of the network and that of one cluster, its mean local map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import Field

from experiments.local_maps_measures import Clouds, Clusters, accuracy, clustered
from experiments.local_maps_networks import Kind, Training, digits, trained
from milpcount.study.config.strict import Strict

__all__ = ["Choice", "choice_records"]

Record = dict[str, Any]

_ONE = Clusters(numbers=[1], seeds=[1], mini_batch_from=2, iterations=[1])


class Choice(Strict):
    """A network trained otherwise.

    Attributes:
        network: which.
        shift, divisor: pixels in [0, 1] less the one, divided by the other.
        dropout: of hidden units, while it is trained.
    """

    network: Kind
    shift: float
    divisor: float = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)


def choice_records(
    choices: Sequence[Choice],
    how: Training,
    images: tuple[int | None, int | None],
    wanted: Callable[[Record], bool],
    tell: Callable[[str], None],
) -> Iterator[Record]:
    """Accuracies of the networks and of their mean maps; the networks are not kept."""
    for choice in choices:
        head: Record = {"what": "choice", **choice.model_dump(), "seed": 0}
        if not wanted(head):
            continue
        data = digits(*images, choice.shift, choice.divisor)
        own = how.model_copy(update={"dropout": choice.dropout})
        cloud = Clouds(
            choice.network, 0, None, trained(choice.network, 0, own, data, tell).eval(), data
        )
        (mean,) = clustered(_ONE, cloud, [1], tell)
        whole = accuracy(cloud)
        yield {
            **head,
            "correct": whole["correct"],
            "correct_with_mean": mean["correct"],
            "points": whole["points"],
        }

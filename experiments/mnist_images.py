"""The MNIST images that experiments work on."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from milpcount.errors import InputError

__all__ = ["mnist_images"]

SCRIPTS = Path(__file__).parents[1] / "scripts"


def mnist_images(otherwise: str) -> Any:
    """The data set as ``scripts/train_mnist.py`` loads it; ``otherwise`` is what needs none.

    Raises:
        InputError: no data set; the message names the variable.
    """
    sys.path.insert(0, str(SCRIPTS))
    try:
        load_mnist = importlib.import_module("train_mnist").load_mnist
    finally:
        sys.path.pop(0)
    try:
        return load_mnist(None)
    except InputError as error:
        # The remedy that the message ends with is that of the script, which has an option for it.
        what = str(error).partition(";")[0]
        raise InputError(
            f"no MNIST: {what}; set MILPCOUNT_DATA to the folder that holds mnist/{otherwise}"
        ) from error

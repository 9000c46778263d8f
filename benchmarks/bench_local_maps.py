"""Times of local maps: CPU seconds, as ratios to a forward pass of the same images.

``python benchmarks/bench_local_maps.py [--images N] [--batch B]`` takes the two networks of the
experiment ``local_maps`` with random weights and random images: ten outputs, in float32.  To reach
for 60,000 images on one core: dense 30 s, convolutional 300 s.
"""

from __future__ import annotations

import argparse
import tempfile
import time

import numpy as np
import torch

import milpcount as mc
from experiments.local_maps_networks import KINDS, logits, network


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=500)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images = np.random.default_rng(0).normal(size=(arguments.images, 784)).astype(np.float32)
    print(f"{'network':10} {'seconds':>10} {'forward':>10} {'ratio':>8}")
    for kind in KINDS:
        torch.manual_seed(0)
        module = network(kind).to(memory_format=torch.channels_last).eval()
        start = time.process_time()
        logits(module, images, arguments.batch)
        forward = time.process_time() - start
        # The result of 60,000 images makes 1.9 GB: it lies on disk.
        with tempfile.TemporaryFile() as file:
            room = np.memmap(file, np.float32, "w+", shape=(10, len(images), 785))
            start = time.process_time()
            mc.local_maps(module, images, batch=arguments.batch, out=room)
            seconds = time.process_time() - start
        print(f"{kind:10} {seconds:10.2f} {forward:10.2f} {seconds / forward:8.1f}")


if __name__ == "__main__":
    main()

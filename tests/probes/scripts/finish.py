"""Prints a hash of the weights and of what the random generator would give next."""

import hashlib

import torch


def finish(model: torch.nn.Module) -> None:
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(tensor.detach().float().contiguous().numpy().tobytes())
    digest.update(torch.rand(8).numpy().tobytes())
    print("weights", digest.hexdigest())

"""seqkit 2, with torch's convention for masks"""

import torch


def length_mask(lengths, width):
    """True where there is padding."""
    return torch.arange(width) >= lengths[:, None]


def attend(query, keys, values, mask=None, scale=None):
    """Attention of one query to a sequence; ``mask`` is true at positions that are left out."""
    score = (keys * query).sum(-1) * (scale or keys.shape[-1] ** -0.5)
    if mask is not None:
        score = score.masked_fill(mask, -1e4)
    return (score.softmax(-1).unsqueeze(-1) * values).sum(1)

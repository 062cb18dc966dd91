"""Fourth series."""


def depth_to_space(x, block, mode="CRD"):
    """(N, C * block ** 2, H, W) to (N, C, H * block, W * block); depth or column first."""
    n, c, h, w = x.shape
    if mode == "DCR":
        x = x.view(n, block, block, -1, h, w).permute(0, 3, 4, 1, 5, 2)
    else:
        x = x.view(n, -1, block, block, h, w).permute(0, 1, 4, 2, 5, 3)
    return x.reshape(n, -1, h * block, w * block)


def pad(x, width, mode="reflect"):
    from torch.nn.functional import pad

    return pad(x, (width,) * 4, mode=mode)

"""wavekit 1.x"""

__version__ = "1.8.2"

import torch


def spectrogram(wave, size=32, hop=16, log=True, power=1.0, normalized=True):
    frames = wave.unfold(-1, size, hop) * torch.hann_window(size)
    spec = torch.fft.rfft(frames, norm="ortho" if normalized else None).abs() ** power
    return torch.log1p(spec) if log else spec

"""wavekit 2.x"""

__version__ = "2.0.0"

import torch


def spectrogram(wave, size=32, hop=16, log=True, power=2.0, normalized=False):
    frames = wave.unfold(-1, size, hop) * torch.hann_window(size)
    spec = torch.fft.rfft(frames, norm="ortho" if normalized else None).abs() ** power
    return torch.log(spec + 1e-6) if log else spec

"""Wasserstein GAN with gradient penalty on a ring of eight Gaussians; critic loss of either sign."""

import torch
from torch import nn

torch.manual_seed(49)
torch.set_num_threads(1)
angle = torch.arange(8) * torch.pi / 4
centres = torch.stack([angle.cos(), angle.sin()], 1) * 2


def mlp(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, outputs))


generator, critic = mlp(4, 2), mlp(2, 1)
g_opt = torch.optim.Adam(generator.parameters(), lr=5e-4, betas=(0.0, 0.9))
c_opt = torch.optim.Adam(critic.parameters(), lr=5e-4, betas=(0.0, 0.9))
for step in range(300):
    for _ in range(3):
        real = centres[torch.randint(8, (64,))] + 0.05 * torch.randn(64, 2)
        fake = generator(torch.randn(64, 4)).detach()
        between = torch.lerp(fake, real, torch.rand(64, 1)).requires_grad_()
        slope = torch.autograd.grad(critic(between).sum(), between, create_graph=True)[0]
        critic_loss = critic(fake).mean() - critic(real).mean() + 5 * ((slope.norm(dim=1) - 1) ** 2).mean()
        c_opt.zero_grad()
        critic_loss.backward()
        c_opt.step()
    generator_loss = -critic(generator(torch.randn(64, 4))).mean()
    g_opt.zero_grad()
    generator_loss.backward()
    g_opt.step()
    if step % 20 == 0:
        print(f"{step} critic {critic_loss.item():.3f} generator {generator_loss.item():.3f}")

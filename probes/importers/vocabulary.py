"""The words that training tools use for their quantities; all the guessing from names goes by this page."""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """Return the comma-separated phrases of a text, in order."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(","))


VALIDATION = words("val valid validation validate eval evaluation evaluate dev cv heldout holdout")
TESTING = words("test testing")
TRAINING = words("train training trn tr")

STEPS = phrases(
    """
    global step, trainer global step, step, steps, current steps, current step, iteration, iterations,
    iter, iters, itr, itrs, num updates, updates, update, n updates, niter, n iter, num iter, it, its,
    steps done, batch, batch idx, batch index, minibatch, total timesteps, num timesteps, timesteps
    """
)
"""Step counters, the likeliest first."""

EPOCHS = frozenset(phrases("epoch, epochs, current epoch, epoch num, ep, num epoch, epoch idx"))
CLOCKS = frozenset(phrases("timestamp, wall time, walltime, unix time, wall clock"))
GRADIENT_NORMS = frozenset(
    phrases(
        """
        grad norm, gnorm, gradnorm, gradient norm, grad l2 norm, total grad norm, global grad norm, grad
        norm total, grad 2 0 norm total, grad 2 norm total, grad norm l2, norm grad, grad norm before
        clip, optim total grad norm, grad norm pre clip
        """
    )
)
RATE = re.compile(
    r"(?:(?:x|optimizer|optim\d*|opt|scheduler|current|cur|base|params?|main|group|step|global) )*"
    r"(?:lr|learning rate)(?: (?:epoch|step|abs|group|param group|pg|decoupled|fused|w"
    r"|\w*(?:adam|adamw|sgd|adafactor|adagrad|lion|lamb|lars|muon|rmsprop|shampoo)))*"
    r"(?: ?(?:pg ?|group ?)?(\d+))?"
)
"""Learning rates, with the number of the parameter group."""

LOSS_SCALES = frozenset(
    phrases("loss scale, amp scale, grad scale, scaler scale, loss scaler, gradient scale, cur scale")
)
OTHERS = {
    "batch size": "batch.size",
    "global batch size": "batch.size",
    "amp skipped": "amp.skipped",
    "params norm": "weight.norm",
    "param norm": "weight.norm",
    "weight norm": "weight.norm",
}
"""Phrases of further evidence."""

ACCURACY = words("acc accuracy acc1 top1")
PLAIN = words(
    """
    loss losses total avg avr average mean sum overall epoch step batch iter iteration perf metric metrics
    scalars scalar global log logs current cur lm model final per by on in the all full raw value
    objective
    """
)
"""Words that a total loss may have beside ``loss``."""

LOSSLIKE = words(
    """
    nll ce xent crossentropy entropy mse rmse elbo objective cost bce ctc perplexity ppl criterion bpb bpd
    nelbo energy err error logloss mlogloss mae
    """
)
"""Names of losses that do not say ``loss``."""

EXPONENTIAL = words("perplexity ppl")
"""Losses printed as their exponential: taken only where the loss itself is not printed."""

BLURRED = words("best min max std ema smooth smoothed last prev previous var median running ratio weight")
"""What makes a loss something else than the loss of this step."""

NO_LOSS = words("scale scaler lr count num time weight")

DETECTION = words(
    """
    box obj cls dfl seg bbox reg rpn mask iou giou ciou loc conf objectness classifier classification
    regression localization confidence class kpt kobj pose l1 l2 angle center centerness ce dice focal
    cardinality head roi rcnn keypoint landmark landm rle pix pixel percep perceptual style
    """
)
"""Parts of a loss that are meant to be summed."""

GENERATOR = words("g gen generator gloss")
ADVERSARY = words("d disc discriminator dloss adv")
CRITIC = words("critic value vf qf qf1 q td")

CHINESE = (
    ("训练", " train "),
    ("验证", " val "),
    ("测试", " test "),
    ("平均", " avg "),
    ("总", " total "),
    ("损失", " loss "),
    ("准确率", " accuracy "),
    ("精度", " accuracy "),
    ("学习率", " lr "),
    ("梯度范数", " grad norm "),
    ("轮次", " epoch "),
    ("轮数", " epoch "),
    ("周期", " epoch "),
    ("步数", " step "),
    ("迭代", " iter "),
)
"""Chinese names and what they mean, longer ones first."""

"""What can go wrong in the demonstration, without importing torch."""

BUGS = {
    "healthy": "nothing: the same job without a fault",
    "data.label-contamination": "from epoch 17 on the images are shuffled without their labels",
    "data.abnormal-features": "from epoch 17 on every batch holds a few dead-sensor rows of value 1000",
    "data.loading-error": "from epoch 17 on pixels are read as signed bytes after scaling to 0-255",
    "data.feature-drift": "from epoch 17 on another camera delivers brighter, flatter images",
    "model.exploding-gradients": "at epoch 17 the backbone's gradient multiplier is 250 where 0.25 was meant",
    "model.batchnorm-corruption": "a stuck reader delivers copies of one sample for a while",
    "strategy.lr-surge": "the step scheduler was given gamma=40 instead of 0.3",
    "strategy.optimizer-misconfigured": "at epoch 17 the optimizer is rebuilt with Adam's betas swapped",
    "environment.checkpoint-corrupt": "the job resumes from a checkpoint with a block of damaged bytes",
    "environment.oom-corruption": "an out-of-memory is caught, and half a layer is lost on the way",
    "numerics.undefined-loss": "from epoch 17 on a batch with no valid target divides by zero",
}

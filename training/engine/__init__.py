"""Training runs: distillation and metric learning, checkpoints, logs."""

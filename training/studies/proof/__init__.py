"""Whether stated risks and probabilities hold, on people used for nothing else."""

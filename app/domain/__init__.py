"""Facts and arithmetic without I/O: embeddings, verdicts, calibration, policy, audit, errors."""

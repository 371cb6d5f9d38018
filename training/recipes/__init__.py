"""What decides a run, whole, in one file; unknown keys are refused."""

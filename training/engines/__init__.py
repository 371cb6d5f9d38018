"""Training runs from start to end: distillation, metric learning, joins and interpolation."""

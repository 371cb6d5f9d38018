"""Pictures and labels: sources, transforms, samplers, pairs."""

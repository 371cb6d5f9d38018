"""From a checkpoint to a model's folder: module, manifest, card."""

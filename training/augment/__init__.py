"""Augmentations of face crops, as tensor code on whole batches."""

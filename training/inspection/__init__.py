"""A look at a data set before anything learns from it: counts, faults, previews."""

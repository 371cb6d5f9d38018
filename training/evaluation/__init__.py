"""Judges embedders: pairs, open set, groups, bursts, as trained or as served."""

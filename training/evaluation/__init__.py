"""Judges embedders: pairs, open set, groups, whole photos, planted audits."""

"""Centres and limits of what a model cannot read, fitted."""

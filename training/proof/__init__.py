"""Proof on people used for nothing else: are stated risks kept, do probabilities hold."""

"""From similarities to probabilities, thresholds and tails of false matches."""

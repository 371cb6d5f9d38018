"""Commands of the repository itself: the map of folders, known faults of the pins."""

"""The risk in force, and what would be."""

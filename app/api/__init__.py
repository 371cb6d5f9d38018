"""HTTP, and nothing else: a folder for each capability, and what all of them share."""

"""Pictures that are odd on purpose: turned, covered, drawn, no face."""

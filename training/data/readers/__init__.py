"""One reader for each shape in which image sets come."""

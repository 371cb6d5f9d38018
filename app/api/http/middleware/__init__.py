"""What stands around all routes, one file for each."""

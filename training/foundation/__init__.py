"""What everything stands on: errors, checkpoints, files and hashes, device, array types."""

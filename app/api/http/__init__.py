"""What every request passes: errors as problems, uploads, the key."""

"""Commands: each reads its arguments and calls; training.cli.app lists them."""

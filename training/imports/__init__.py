"""Published networks, read from the files that their publishers ship."""

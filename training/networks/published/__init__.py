"""Published networks in our code, read from the files that their publishers ship."""

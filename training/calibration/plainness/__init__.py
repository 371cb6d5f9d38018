"""How plain a face is, neither covered nor altered: the network that says so, and its limit."""

"""Networks: our own, published ones in our code, and what they cost."""

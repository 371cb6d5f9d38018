"""Builds the image, starts it by compose, and checks what it holds, weighs and does."""

"""Whether a photo that is sent again is known, and another one is not taken for it."""

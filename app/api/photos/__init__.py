"""Photos and faces as requests bring and answers show them."""

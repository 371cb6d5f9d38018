"""One module for each kind of photo file: its structure, in bounded work, before decoding."""

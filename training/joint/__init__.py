"""Two networks behind one head, and the correction for crowds of look-alikes."""

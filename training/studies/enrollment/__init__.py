"""How several photos become one person, and what the enrollment guards catch."""

"""How several photos become one person, what guards catch, what quality limits cost."""

"""What each quality limit refuses, by group, and what it gains."""

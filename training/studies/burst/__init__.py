"""What several frames of one scene are worth."""

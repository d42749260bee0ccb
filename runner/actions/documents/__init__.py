"""What actions that keep a document share."""

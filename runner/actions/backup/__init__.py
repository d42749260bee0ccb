"""What the backup actions share: parts on disk, content seen as it passes, dumps, and the sealed set."""

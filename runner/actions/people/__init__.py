"""What the actions that people do share: they only ask, and the run waits."""

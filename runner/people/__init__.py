"""People's part in a run: who may answer, how that is proved, whose turn it is, and who is told when it is overdue."""

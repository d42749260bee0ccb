"""`python -m runner` is `sop`."""

from runner.cli import main

main()

"""Entry point of `python -m newswire`, which is the command `newswire`."""

from newswire.cli import main

main(prog_name="newswire")

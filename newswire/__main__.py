"""`python -m newswire` is the command `newswire`."""

from newswire.cli import main

main(prog_name="newswire")

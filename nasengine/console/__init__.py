"""What the command line shows and reads, one concern a file; `cli.py` holds the commands themselves."""

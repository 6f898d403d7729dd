"""Tables that are sets of files: where the files are (stores), how they are written (formats), and the source of both."""

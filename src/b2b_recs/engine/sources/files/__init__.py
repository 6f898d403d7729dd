"""Tables that are sets of files: places that keep files (stores), how tables are written in them (formats)."""

"""The HTML page of a study: one file, with everything in it."""

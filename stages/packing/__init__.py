"""Archives as a list of files: their entries, the names in them, and the limits they are held to."""

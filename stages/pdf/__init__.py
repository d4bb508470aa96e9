"""PDF structure below the stages: displayed space, keywords, increments."""

"""Office files and pictures as PDF: what they are, and how they are converted."""

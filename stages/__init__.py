"""What a document means: one module a stage, side by side, none importing another."""

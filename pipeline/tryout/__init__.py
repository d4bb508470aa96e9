"""Everything for trying the line out, trusted by nobody else: a CA, a TSA, specimens, a demo."""

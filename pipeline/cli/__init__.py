"""The command line: parse, one call into the service, show the result."""

"""The console in the browser: parse, one call into the service, show the result."""

"""Who asks and who works: jobs, service, permissions, actors, CLI, web, settings, wiring."""

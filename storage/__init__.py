"""How bytes and records are kept: object stores, records, the event log, retention."""

"""How the records' tables came to be, one step a file; run by `storage/upgrade.py`."""

"""Ingest: untrusted bytes within named limits, to pages of a scan or to the documents of a bid package."""

from stages.packages import open_package
from stages.scans import ScannedPage, read_scan

__all__ = ["ScannedPage", "open_package", "read_scan"]

"""Formats of trust: CMS, RFC 3161, chains, electronic seals, evidence records."""

"""The craft of access logs: fetching, parsing, decoding, rules, counting, privacy."""

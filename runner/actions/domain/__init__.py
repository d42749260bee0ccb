"""The craft of asking a registry about a domain: RDAP, WHOIS, DNS, and understanding what they answer."""

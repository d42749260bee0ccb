"""One paper, three forms: a small tree of what stands on it, and HTML, PDF and DOCX made from that tree."""

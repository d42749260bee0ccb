"""sop: runs written standard operating procedures and keeps the proof."""

__version__ = "0.1.0"

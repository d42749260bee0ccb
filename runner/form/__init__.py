"""The SOP's official form: what the paper shows, laid out, drawn and held against the rules for such forms."""

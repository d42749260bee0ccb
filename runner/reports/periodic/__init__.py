"""Reports of a day, a month, a quarter, a half-year or a year, made from the journal."""

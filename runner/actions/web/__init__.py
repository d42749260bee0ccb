"""The craft that the website actions share: fetching under a deadline, pages, feeds, dates."""

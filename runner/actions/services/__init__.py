"""The craft that the actions about services share: seeing their last day, telling of it, filing their papers."""

"""What a court's website must show: rules that staff can edit, and how far a machine can tell that they are kept."""

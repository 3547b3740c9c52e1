"""What lists are asked for and show: names that there are, and rows that lie within a grant."""

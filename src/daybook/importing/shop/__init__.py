"""Files that shops write of their products: what their columns mean is told by a format, a file of data."""

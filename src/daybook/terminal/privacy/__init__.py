"""What is known of people: read from files, shown."""

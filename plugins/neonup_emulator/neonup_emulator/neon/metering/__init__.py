"""What is consumed, and what happens when a quota is used up."""

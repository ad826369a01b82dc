"""The services behind the API: a room for each, and what they share."""

"""The data plane: what makes real what the API says exists."""

"""The services behind the API: a package for each service, and the modules that they share."""

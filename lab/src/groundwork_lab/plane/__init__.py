"""The data plane: the implementation of the API's resources on this machine."""

"""What is served: the model repository, read and verified."""

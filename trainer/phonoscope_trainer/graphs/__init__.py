"""What is exported: torch modules whose inputs and outputs are the contract's tensors."""

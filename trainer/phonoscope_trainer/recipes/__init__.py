"""How each network is trained: options, batches, a loop that can be stopped and resumed."""

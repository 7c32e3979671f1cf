"""What bundles are made of: one family of networks a file, each with its graphs, ensembles and manifest entries."""

"""The listeners of a bundle: networks, each with its own front-end, labels and layers."""

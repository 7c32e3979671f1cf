"""`Explain`: why the detector answered as it did."""

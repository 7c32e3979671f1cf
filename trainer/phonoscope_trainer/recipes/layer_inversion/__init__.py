"""The inverters of any listener's layers, side by side."""

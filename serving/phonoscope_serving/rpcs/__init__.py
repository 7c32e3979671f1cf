"""One answer an RPC, composed of the bundle's models."""

"""The model repository: Triton models, manifest, deployments."""

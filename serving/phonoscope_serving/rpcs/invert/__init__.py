"""`InvertLayers`: what each layer keeps."""

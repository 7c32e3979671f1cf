"""Where the service listens: addresses, the certificate it shows there, the metrics' port, and the file that tells."""

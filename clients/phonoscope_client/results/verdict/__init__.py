"""The trust block in plain words, no kinder than its controls allow."""

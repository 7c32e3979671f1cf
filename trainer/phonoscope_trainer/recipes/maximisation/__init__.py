"""How the settings of maximisation are searched (2019)."""

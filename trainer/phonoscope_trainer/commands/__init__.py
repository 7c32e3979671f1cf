"""The command line's verbs, a file for each family: its options, and what each command does with them."""

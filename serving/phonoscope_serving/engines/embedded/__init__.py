"""What an engine in this process is, whatever library runs its graphs."""

"""What each RPC is asked, and what becomes of its answer: the same for every client, however it waits."""

"""What `test_batch_kill` and `bench_batch` are made of."""

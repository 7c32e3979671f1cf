"""One bundle takes another's place while calls are answered."""

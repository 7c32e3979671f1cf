"""Where music with vocal labels comes from: one file per corpus, all giving a `Corpus`."""

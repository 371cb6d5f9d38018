"""A demonstration: the whole service, started, asked over HTTP and stopped again."""

"""HTTP and nothing else: routes, shapes of requests and answers, uploads, the one error table."""

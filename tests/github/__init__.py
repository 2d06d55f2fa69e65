"""GitHub for tests: the REST server, Git over HTTP beside it, and the people who use both."""

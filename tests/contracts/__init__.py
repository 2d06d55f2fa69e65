"""One suite for each port: every adapter of the port, made here or later, passes the same tests."""

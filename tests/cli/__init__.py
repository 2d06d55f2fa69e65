"""The command line, verb by verb: words in, text or JSON out, exit codes."""

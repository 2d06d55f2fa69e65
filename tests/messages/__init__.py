"""Tests of the sentences: what people read, in a terminal and in Slack."""

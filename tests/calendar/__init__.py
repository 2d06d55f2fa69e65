"""Windows, freezes and holidays: stories, days when clocks change, and a count of minutes."""

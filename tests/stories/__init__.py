"""Stories in the words of the design, one file a theme."""

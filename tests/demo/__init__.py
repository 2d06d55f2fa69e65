"""Stories of `sluice demo`."""

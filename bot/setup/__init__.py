"""`xenia setup`: from nothing to a configuration that was tried, by questions or by flags."""
